// The real file system, through node:fs. Only the opening of a watch is synchronous, because what happens after it must be seen.

import type { BigIntStats, Stats } from 'node:fs'
import * as fs from 'node:fs'
import { promisify } from 'node:util'
import { bytesOf, type Disk, maxFileBytes, meansMissing, type Reading } from './disk.ts'

// node:fs/promises costs three times as much per file: a poll of 10,000 files would show.
const lstat = promisify(fs.lstat)
const stat = promisify(fs.stat)
const open = promisify(fs.open)
const close = promisify(fs.close)
const readFile = promisify(fs.readFile)
const readlink = promisify(fs.readlink)
const readdir = promisify(fs.readdir)

/** A pipe must not block the reader until somebody writes to it. */
const openFlags = fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0)

export const nodeDisk: Disk = {
  tellsWrites: process.platform === 'linux',

  watch(directory, onEvent, onError) {
    const watcher = fs.watch(bytesOf(directory), { encoding: 'latin1', persistent: false })
    watcher.on('change', (event, name) => onEvent(event === 'rename' ? 'rename' : 'change', nameOf(name)))
    watcher.on('error', onError)
    return () => watcher.close()
  },

  async read(path) {
    const own = await lookAt(path)
    if (own === undefined) return { kind: 'missing', isLink: false }
    const isLink = own.isSymbolicLink()
    try {
      return { isLink, ...(await readThrough(path, own)) }
    } catch (error) {
      if (meansMissing(error)) return { kind: 'missing', isLink }
      return { kind: 'unreadable', isLink, error: error instanceof Error ? error : new Error(String(error)) }
    }
  },

  identitySync(directory) {
    return identityOf(fs.statSync(bytesOf(directory), { bigint: true, throwIfNoEntry: false }))
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
    const own = await lookAt(path)
    if (own?.isSymbolicLink() !== true) return undefined
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

/** What the path itself is, a symbolic link perhaps; undefined when there is nothing. */
async function lookAt(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(bytesOf(path))
  } catch (error) {
    if (meansMissing(error)) return undefined
    throw error
  }
}

type ReadingOf<R> = R extends Reading ? Omit<R, 'isLink'> : never

/** The content is read from one open file, so that a swap in between cannot mix two. */
async function readThrough(path: string, own: Stats): Promise<ReadingOf<Reading>> {
  const bytes = bytesOf(path)
  const stats = own.isSymbolicLink() ? await stat(bytes) : own
  if (stats.isDirectory()) return { kind: 'directory' }
  if (!stats.isFile()) return { kind: 'missing' }
  if (stats.size > maxFileBytes) return { kind: 'unreadable', error: new Error(`larger than ${maxFileBytes} bytes`) }
  const realPath = await realPathOf(bytes)
  const file = await open(bytes, openFlags)
  try {
    return { kind: 'file', text: await readFile(file, 'utf8'), realPath, modifiedAt: stats.mtimeMs }
  } finally {
    await close(file)
  }
}

function realPathOf(path: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    fs.realpath.native(path, 'latin1', (error, found) => (error === null ? resolve(found) : reject(error)))
  })
}
