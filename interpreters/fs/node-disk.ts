// The real file system, through node:fs. Only the opening of a watch is synchronous, because what happens after it must be seen.
import { type BigIntStats, constants, statSync, watch } from 'node:fs'
import { lstat, open, readdir, readlink, realpath, stat } from 'node:fs/promises'
import { bytesOf, type Disk, maxFileBytes, meansMissing, type Reading } from './disk.ts'

/** A pipe must not block the reader until somebody writes to it. */
const openFlags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)

export const nodeDisk: Disk = {
  tellsWrites: process.platform === 'linux',

  watch(directory, onEvent, onError) {
    const watcher = watch(bytesOf(directory), { encoding: 'latin1', persistent: false })
    watcher.on('change', (event, name) => onEvent(event === 'rename' ? 'rename' : 'change', nameOf(name)))
    watcher.on('error', onError)
    return () => watcher.close()
  },

  async read(path) {
    const isLink = await isSymbolicLink(path)
    if (isLink === undefined) return { kind: 'missing', isLink: false }
    try {
      return { isLink, ...(await readThrough(path)) }
    } catch (error) {
      if (meansMissing(error)) return { kind: 'missing', isLink }
      return { kind: 'unreadable', isLink, error: error instanceof Error ? error : new Error(String(error)) }
    }
  },

  identitySync(directory) {
    return identityOf(statSync(bytesOf(directory), { bigint: true, throwIfNoEntry: false }))
  },

  async identity(directory) {
    try {
      return identityOf(await stat(bytesOf(directory), { bigint: true }))
    } catch (error) {
      if (meansMissing(error)) return undefined
      throw error
    }
  },

  async linkTarget(path) {
    if ((await isSymbolicLink(path)) !== true) return undefined
    return readlink(bytesOf(path), 'latin1')
  },

  list: directory => readdir(bytesOf(directory), 'latin1'),
}

function nameOf(name: string | Buffer | null): string | undefined {
  if (name === null) return undefined
  return typeof name === 'string' ? name : name.toString('latin1')
}

/** An inode number is soon used again; with the time of its birth it tells more, where that is known. */
function identityOf(stats: BigIntStats | undefined): string | undefined {
  return stats?.isDirectory() ? `${stats.dev}:${stats.ino}:${stats.birthtimeNs}` : undefined
}

async function isSymbolicLink(path: string): Promise<boolean | undefined> {
  try {
    return (await lstat(bytesOf(path))).isSymbolicLink()
  } catch (error) {
    if (meansMissing(error)) return undefined
    throw error
  }
}

type ReadingOf<R> = R extends Reading ? Omit<R, 'isLink'> : never

/** The content belongs to one open file, so that a swap in between cannot mix two. */
async function readThrough(path: string): Promise<ReadingOf<Reading>> {
  const realPath = await realpath(bytesOf(path), 'latin1')
  const file = await open(bytesOf(path), openFlags)
  try {
    const stats = await file.stat()
    if (stats.isDirectory()) return { kind: 'directory' }
    if (!stats.isFile()) return { kind: 'missing' }
    if (stats.size > maxFileBytes) return { kind: 'unreadable', error: new Error(`larger than ${maxFileBytes} bytes`) }
    return { kind: 'file', text: await file.readFile('utf8'), realPath, modifiedAt: stats.mtimeMs }
  } finally {
    await file.close()
  }
}
