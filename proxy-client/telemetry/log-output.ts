// Where lines of a log go: a file that may be moved or set aside meanwhile, or standard output. Knows nothing of lines.
import { write as writeFd } from 'node:fs'
import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Clock } from '../../watch/clock.ts'
import { isoTime } from './time-text.ts'

export interface LogOutput {
  /** Writes all of it; rejects when it cannot. One call at a time. */
  write(bytes: Uint8Array): Promise<void>
  close(): Promise<void>
}

export interface FileOutputOptions {
  readonly path: string
  readonly append: boolean
  /** Bytes after which the file is set aside; absent for never. */
  readonly rollBytes: number | undefined
  /** Files set aside that are kept; -1 for all. */
  readonly keep: number
  readonly clock: Clock
}

/** Opens the file or rejects. One that is moved or removed later is made anew before the next write, by whichever process comes first. */
export async function openFileOutput(options: FileOutputOptions): Promise<LogOutput> {
  const { path, append, rollBytes } = options
  // Always opened for appending: several processes may write to it.
  let file = await open(path, 'a')
  if (!append) await file.truncate()
  const reopen = async (): Promise<void> => {
    const before = file
    file = await open(path, 'a')
    await before.close()
  }
  return {
    write: async bytes => {
      const size = await sizeIfSame(path, file)
      if (size !== undefined && rollBytes !== undefined && size > 0 && size + bytes.length > rollBytes) {
        await setAside(options)
        await reopen()
      } else if (size === undefined) await reopen()
      await file.appendFile(bytes)
    },
    close: () => file.close(),
  }
}

/** The file's size while the path still leads to it. */
async function sizeIfSame(path: string, file: FileHandle): Promise<number | undefined> {
  try {
    const [there, ours] = await Promise.all([stat(path), file.stat()])
    return there.ino === ours.ino && there.dev === ours.dev ? ours.size : undefined
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

async function setAside({ path, keep, clock }: FileOutputOptions): Promise<void> {
  const time = isoTime(clock.now()).replace(/[-:]/g, '').replace(/\..*/, '')
  const aside = await asideFiles(path)
  const names = new Set(aside)
  let name = `${basename(path)}-${time}`
  for (let i = 1; names.has(name); i++) name = `${basename(path)}-${time}.${String(i).padStart(6, '0')}`
  await rename(path, join(dirname(path), name))
  if (keep < 0) return
  const oldest = [...aside, name].toSorted().slice(0, Math.max(0, aside.length + 1 - keep))
  await Promise.all(oldest.map(each => rm(join(dirname(path), each), { force: true })))
}

async function asideFiles(path: string): Promise<string[]> {
  const start = `${basename(path)}-`
  const names = await readdir(dirname(path))
  return names.filter(name => name.startsWith(start) && /^\d{8}T\d{6}(\.\d{6})?$/.test(name.slice(start.length)))
}

const retryMs = 50

/** Through the pool of threads: a reader who does not read holds one of them, never the event loop. */
export function createStdoutOutput(clock: Clock, fd = 1): LogOutput {
  return {
    write: async bytes => {
      for (let done = 0; done < bytes.length; ) done += await writeSome(fd, bytes.subarray(done), clock)
    },
    close: async () => {},
  }
}

function writeSome(fd: number, bytes: Uint8Array, clock: Clock): Promise<number> {
  return new Promise((resolve, reject) => {
    writeFd(fd, bytes, (error, written) => {
      if (error === null) resolve(written)
      else if (error.code === 'EAGAIN') clock.after(retryMs, () => resolve(0))
      else reject(error)
    })
  })
}
