// Puts finished backends into the cache, whole or not at all, and takes out those that nobody has used for long.
import { existsSync, readdirSync, statSync } from 'node:fs'
import { mkdtemp, readdir, rename, rm, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { backends } from './catalogue.ts'

const partialPrefix = 'partial-'
const entryName = /^[0-9a-f]{20}$/
const keptPerBackend = 3

export interface Entry {
  readonly folder: string
  /** The program that it holds. */
  readonly program: string
  /** Last use, in ms since the epoch. */
  readonly usedAt: number
}

/**
 * Has `make` fill a new folder and moves that to `entry` in one step, so that an entry is never half. When `make` rejects, the folder
 * is removed. The caller holds the lock of the cache.
 */
export async function fillEntry(cache: string, entry: string, make: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(cache, partialPrefix))
  try {
    await make(folder)
    await rm(entry, { recursive: true, force: true })
    await rename(folder, entry)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Removes what killed runs have left. The caller holds the lock of the cache, so no folder of these is in use. */
export async function removePartialFolders(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    if (name.startsWith(partialPrefix)) await rm(join(cache, name), { recursive: true, force: true })
  }
}

/** Marks an entry as used now. */
export async function touchEntry(folder: string): Promise<void> {
  const now = new Date()
  await utimes(folder, now, now)
}

/** Takes an entry out. A program of it that runs goes on. */
export async function removeEntry({ folder }: Entry): Promise<void> {
  await rm(folder, { recursive: true, force: true })
}

/** All finished entries of the cache; none when there is no cache. */
export function listEntries(cache: string): readonly Entry[] {
  if (!existsSync(cache)) return []
  return readdirSync(cache)
    .filter(name => entryName.test(name))
    .flatMap(name => {
      const folder = join(cache, name)
      const program = readdirSync(folder).find(file => backends.some(backend => backend.name === file))
      return program === undefined ? [] : [{ folder, program, usedAt: statSync(folder).mtimeMs }]
    })
}

/** The entries beyond the last three used of each program. */
export function staleEntries(entries: readonly Entry[]): readonly Entry[] {
  const newestFirst = entries.toSorted((a, b) => b.usedAt - a.usedAt)
  const byProgram = Map.groupBy(newestFirst, ({ program }) => program)
  return [...byProgram.values()].flatMap(ofProgram => ofProgram.slice(keptPerBackend))
}
