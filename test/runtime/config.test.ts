import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { NamingError } from '../../naming/errors.ts'
import { loadKind, parseConfig, readConfig } from '../../runtime/config.ts'
import { defineKind, type KindRegistry } from '../../runtime/kind.ts'

const schema = z.strictObject({
  admin: z.strictObject({ port: z.int() }).optional(),
  names: z.array(z.strictObject({ id: z.string() })).default([]),
})

function messageOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    return error instanceof NamingError && error.code === 'bad-config'
      ? error.message
      : `not a bad-config: ${String(error)}`
  }
  return 'nothing was thrown'
}

function check(text: string): string {
  return messageOf(() => {
    const document = parseConfig(text, 'c.yaml')
    document.check(schema, document.value, [])
  })
}

describe('a configuration document', () => {
  it('takes YAML and JSON alike', () => {
    const yaml = parseConfig('admin:\n  port: 1\n', 'c.yaml')
    const json = parseConfig('{"admin": {"port": 1}}', 'c.json')
    expect(yaml.check(schema, yaml.value, [])).toEqual(json.check(schema, json.value, []))
  })

  it('reads an empty file as an empty configuration', () => {
    const document = parseConfig('', 'c.yaml')
    expect(document.check(schema, document.value, [])).toEqual({ names: [] })
  })

  it.each([
    ['a wrong type', 'admin:\n  port: many\n', /^c\.yaml:2:3: admin\.port: .*expected/],
    [
      'an unknown key, with the known ones',
      'names:\n  - id: a\n    idd: b\n',
      /^c\.yaml:3:5: names\[0\]\.idd: unknown key; known keys: id$/,
    ],
    ['a missing key', 'names:\n  - {}\n', /^c\.yaml:2:5: names\[0\]\.id: required \(string\)$/],
    ['an unknown key at the top', 'bogus: 1\n', /^c\.yaml:1:1: bogus: unknown key; known keys: admin, names$/],
    ['a duplicate key', 'admin: { port: 1 }\nadmin: { port: 2 }\n', /^c\.yaml:2:1: /],
    ['broken YAML', 'admin: [1\n', /^c\.yaml:\d+:\d+: /],
    ['a tab', 'admin:\n\tport: 1\n', /^c\.yaml:2:1: /],
    ['a list where a map is wanted', '- 1\n', /^c\.yaml:1:1: .*expected object/],
  ])('names the place of %s', (_, text, expected) => {
    expect(check(text)).toMatch(expected)
  })

  it('names every problem, one a line', () => {
    expect(check('admin: { port: x }\nbogus: 1\n').split('\n')).toHaveLength(2)
  })

  it('says which file cannot be read, and why', async () => {
    await expect(readConfig('/nonexistent/c.yaml')).rejects.toThrow('/nonexistent/c.yaml: cannot be read: no such file')
    await expect(readConfig('/tmp')).rejects.toThrow('/tmp: cannot be read: it is a directory')
  })
})

describe('a kind in a configuration', () => {
  const loaded: string[] = []
  const registry: KindRegistry<string> = {
    one: async () => {
      loaded.push('one')
      return defineKind({
        kind: 'one',
        config: z.strictObject({ size: z.int().default(1) }),
        open: ({ size }) => `one ${size}`,
      })
    },
    two: async () => {
      loaded.push('two')
      return defineKind({ kind: 'two', config: z.strictObject({}), open: () => 'two' })
    },
  }
  const load = (text: string) => {
    const document = parseConfig(text, 'c.yaml')
    return loadKind({ document, at: [], value: document.value, registry, refused: { old: 'use one' } })
  }

  it('is loaded only when it is asked for, and gets its defaults', async () => {
    loaded.length = 0
    const { config } = await load('kind: one\n')
    expect({ loaded, config }).toEqual({ loaded: ['one'], config: { size: 1 } })
  })

  it('refuses a kind that nobody knows, naming those that are known', async () => {
    await expect(load('kind: three\n')).rejects.toThrow('c.yaml:1:1: kind: unknown kind "three"; known kinds: one, two')
  })

  it('does not take a name from the prototype for a kind', async () => {
    await expect(load('kind: constructor\n')).rejects.toThrow('unknown kind "constructor"')
  })

  it('says what to do instead of a kind that others have', async () => {
    await expect(load('kind: old\n')).rejects.toThrow('old is not supported: use one')
  })

  it('checks the rest against the strict schema of the kind', async () => {
    await expect(load('kind: one\nsized: 3\n')).rejects.toThrow('c.yaml:2:1: sized: unknown key; known keys: size')
  })
})
