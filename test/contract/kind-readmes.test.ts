// Each kind's README is its documentation: the sections are there, and each YAML example is a configuration that loads.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { namerKinds } from '../../interpreters/registry.ts'
import { parseConfig } from '../../runtime/config.ts'
import { loadServerPlan } from '../../server/compose.ts'
import { storeKinds } from '../../storage/registry.ts'

const root = join(import.meta.dirname, '../..')

const sections = {
  interpreters: ['Name', 'Description', 'Configuration', 'Paths', 'Failure behaviour', 'Metrics', 'Examples'],
  storage: ['Name', 'Description', 'Configuration', 'Layout', 'Failure behaviour', 'Metrics', 'Examples'],
} as const

/** Folders beside the kinds that are none. */
const others: readonly string[] = ['storage/shared', 'storage/snapshot']

function kindsOf(folder: keyof typeof sections): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(entry => join(folder, entry.name))
    .filter(kind => !others.includes(kind))
}

function readmeOf(kind: string): string {
  return readFileSync(join(root, kind, 'README.md'), 'utf8')
}

function examplesOf(kind: string): string[] {
  return [...readmeOf(kind).matchAll(/```yaml\n([\s\S]*?)```/g)].map(match => match[1] ?? '')
}

const registries = { interpreters: Object.keys(namerKinds), storage: Object.keys(storeKinds) } as const

/** An example is a whole configuration, a list of namers, or one storage block. */
function asServerConfig(example: string): string {
  const value: unknown = parse(example)
  if (Array.isArray(value)) return JSON.stringify({ namers: value })
  if (typeof value === 'object' && value !== null && 'kind' in value) return JSON.stringify({ storage: value })
  return JSON.stringify(value)
}

describe.each(Object.keys(sections) as (keyof typeof sections)[])('the kinds of %s', folder => {
  it.each(kindsOf(folder))('%s has a README with every section', kind => {
    const file = join(root, kind, 'README.md')
    expect(existsSync(file), `${kind}/README.md`).toBe(true)
    const headings = [...readmeOf(kind).matchAll(/^#+ (.+)$/gm)].map(match => match[1]?.trim())
    expect(sections[folder].filter(section => !headings.includes(section))).toEqual([])
  })

  it.each(kindsOf(folder))('%s has examples that load', async kind => {
    const examples = examplesOf(kind)
    for (const example of examples) {
      const plan = await loadServerPlan(parseConfig(asServerConfig(example), `${kind}/README.md`))
      expect(plan.config.interfaces.length).toBeGreaterThan(0)
    }
    if (kind !== 'interpreters/utility' && kind !== 'interpreters/inet') expect(examples.length).toBeGreaterThan(0)
  })

  it.each(registries[folder])('%s is shown in an example of one README', name => {
    const showing = kindsOf(folder).filter(kind =>
      examplesOf(kind).some(example => example.split(/[\s"']+/).includes(name)),
    )
    expect(showing).toHaveLength(1)
  })
})

describe('the examples folder', () => {
  it('holds a server configuration that loads', async () => {
    const plan = await loadServerPlan(
      parseConfig(readFileSync(join(root, 'examples/server.yaml'), 'utf8'), 'examples/server.yaml'),
    )
    expect(plan.namers).toHaveLength(1)
  })
})
