import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { kinds } from './kinds.ts'
import { MalformedVectors, parseVectors, tryVector } from './vector.ts'

const oracle = join(import.meta.dirname, 'finagle.jsonl')
const vectors = parseVectors(readFileSync(oracle, 'utf8'))

test('the oracle file is whole', () => {
  expect(vectors).toHaveLength(1_499)
  expect([...new Set(vectors.map(vector => vector.kind))].filter(kind => kinds[kind] === undefined)).toEqual([])
})

test.each(Object.entries(kinds))('every %s is what Finagle and linkerd made of it', (kind, check) => {
  const ours = vectors.filter(vector => vector.kind === kind)
  expect(ours.length).toBeGreaterThan(0)
  expect(ours.map(vector => tryVector(vector, check)).filter(failure => failure !== undefined)).toEqual([])
})

describe('the runner', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vectors-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const script = join(import.meta.dirname, 'run.ts')

  function run(content: string): { status: number | null; lines: string[] } {
    const file = join(folder, 'cases.jsonl')
    writeFileSync(file, content)
    const { status, stdout } = spawnSync(process.execPath, [script, file], { encoding: 'utf8' })
    return { status, lines: stdout.trimEnd().split('\n') }
  }

  test('exits 1 on a failure, with what was expected and got, and ends with the counts', () => {
    const good = '{"kind":"match","in":{"prefix":"/a","path":"/a/b"},"out":{"matches":true}}'
    const wrong = '{"kind":"match","in":{"prefix":"/*","path":"/"},"out":{"matches":true}}'
    const unknown = '{"kind":"nothing","in":{},"error":true}'
    const { status, lines } = run(`${good}\n${wrong}\n${unknown}\n`)
    expect(status).toBe(1)
    expect(lines.at(-1)).toBe('1 passed, 2 failed')
    expect(lines.slice(0, 3)).toEqual([
      'line 2: match {"prefix":"/*","path":"/"}',
      '  expected {"matches":true}',
      '  got      {"matches":false}',
    ])
  })

  test('exits 2 when a file is missing', () => {
    const { status, stderr } = spawnSync(process.execPath, [script, join(folder, 'absent')], { encoding: 'utf8' })
    expect(status).toBe(2)
    expect(stderr).toContain('absent')
  })

  test.each([
    '',
    'not json',
    '{"kind":"path"}',
    '{"kind":"path","in":{"s":"/"}}',
    '{"kind":"path","in":{"s":1},"out":{}}',
  ])('refuses the malformed file %j', content => {
    expect(() => parseVectors(content)).toThrow(MalformedVectors)
  })
})
