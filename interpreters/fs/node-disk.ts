// The real file system, through node:fs. Only the opening of a watch is synchronous, because what happens after it must be seen.

import type { BigIntStats, Stats } from 'node:fs'
import * as fs from 'node:fs'
import { promisify } from 'node:util'
import { bytesOf, type Disk, maxFileBytes, meansMissing, type Reading, systemCode } from './disk.ts'

// node:fs/promises costs three times as much per file: a poll of 10,000 files would show.
const lstat = promisify(fs.lstat)
const stat = promisify(fs.stat)
const open = promisify(fs.open)
const close = promisify(fs.close)
const read = promisify(fs.read)
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

  linkTarget: targetOf,

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
  if (stats.size > maxFileBytes) return tooLarge
  const realPath = await realPathOf(bytes)
  const via = own.isSymbolicLink() ? await neighboursOnTheWay(path, realPath) : undefined
  const file = await open(bytes, openFlags)
  try {
    const content = await readAll(file, stats.size)
    if (content === undefined) return tooLarge
    const text = content.toString('utf8')
    return { kind: 'file', text, realPath, modifiedAt: stats.mtimeMs, ...(via !== undefined && { via }) }
  } finally {
    await close(file)
  }
}

const tooLarge = { kind: 'unreadable', error: new Error(`larger than ${maxFileBytes} bytes`) } as const

/** Undefined when there is more than may be read: a file may grow meanwhile, and some of the system's never end. */
async function readAll(file: number, expected: number): Promise<Buffer | undefined> {
  let content = Buffer.allocUnsafe(expected + 1)
  for (let length = 0; ; ) {
    const { bytesRead } = await read(file, content, length, content.length - length, null)
    length += bytesRead
    if (bytesRead === 0) return content.subarray(0, length)
    if (length > maxFileBytes) return undefined
    if (length === content.length) content = Buffer.concat([content], Math.min(2 * length, maxFileBytes) + 1)
  }
}

/** As Reading's `via`. Links that lead out of the directory, or of which a deeper one leads elsewhere, are not followed. */
async function neighboursOnTheWay(path: string, realPath: string): Promise<readonly string[] | undefined> {
  const slash = path.lastIndexOf('/')
  const names: string[] = []
  let rest = path.slice(slash + 1).split('/')
  while (names.length < maxLinks) {
    const target = await targetOf(`${path.slice(0, slash)}/${rest[0]}`)
    if (target === undefined) return realPath.endsWith(`/${rest.join('/')}`) ? names : undefined
    rest = [...target.split('/').filter(label => label !== '.'), ...rest.slice(1)]
    if (rest.includes('..') || rest.includes('')) return undefined
    names.push(rest[0] ?? '')
  }
  return undefined
}

const maxLinks = 8

async function targetOf(path: string): Promise<string | undefined> {
  try {
    return await readlink(bytesOf(path), 'latin1')
  } catch (error) {
    if (systemCode(error) === 'EINVAL' || meansMissing(error)) return undefined
    throw error
  }
}

function realPathOf(path: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    fs.realpath.native(path, 'latin1', (error, found) => (error === null ? resolve(found) : reject(error)))
  })
}
