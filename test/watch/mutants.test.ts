// Shows that each law's check can fail: a copy of the kernel with one edit breaks it.
import assert from 'node:assert/strict'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { laws } from '../contract/watch.contract.ts'
import type { WatchModule } from './kernel-bench.fixture.ts'
import { type Mutant, mutants } from './mutants.ts'

const watchFolder = join(import.meta.dirname, '../../watch')
let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'watch-mutants-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** Imports a copy of the watch folder, with the mutant's edit when there is one. */
async function importCopy(name: string, mutant?: Mutant): Promise<WatchModule> {
  const copy = join(folder, name)
  await cp(watchFolder, copy, { recursive: true })
  if (mutant !== undefined) await edit(copy, mutant)
  const importFile = (file: string) => import(/* @vite-ignore */ pathToFileURL(join(copy, file)).href)
  const [{ createKernel }, { runSourceLoop }] = await Promise.all(['kernel.ts', 'source-loop.ts'].map(importFile))
  return { createKernel, runSourceLoop }
}

async function edit(copy: string, { file, from, to }: Mutant): Promise<void> {
  const path = join(copy, file)
  const parts = (await readFile(path, 'utf8')).split(from)
  assert.equal(parts.length, 2, `${JSON.stringify(from)} is not found exactly once in ${file}`)
  await writeFile(path, parts.join(to))
}

/** A check may throw or reject. */
async function run(check: () => void | Promise<void>): Promise<void> {
  await check()
}

describe('each law', () => {
  test('has a mutant', () => {
    const mutated = new Set(mutants.map(({ law }) => law))
    assert.deepEqual(
      laws.filter(({ law }) => !mutated.has(law)),
      [],
    )
  })

  test('holds on a copy without an edit', async () => {
    const module = await importCopy('unedited')
    for (const { law, check } of laws) if (law === 1 || law === 12) await run(() => check(module))
  })

  for (const [i, mutant] of mutants.entries()) {
    const law = laws.find(candidate => candidate.law === mutant.law)
    test(`is broken by mutant ${i + 1}: ${law?.title}`, async () => {
      const module = await importCopy(`mutant${i}`, mutant)
      await assert.rejects(run(() => law?.check(module)))
    })
  }
})
