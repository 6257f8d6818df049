// Where lines of a log go: a file that may be moved or set aside meanwhile, or standard output. Knows nothing of lines.
import { fstatSync, write as writeFd } from 'node:fs'
import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { Socket } from 'node:net'
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
  /** The disk had room for a part of a line only. */
  let isTorn = false
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
      const whole = isTorn ? Buffer.concat([lineBreak, bytes]) : bytes
      for (let done = 0; done < whole.length; ) {
        done += (await file.write(whole, done)).bytesWritten
        isTorn = whole[done - 1] !== lineBreak[0]
      }
    },
    close: () => file.close(),
  }
}

const lineBreak = Buffer.from('\n')

/** The file's size while the path still leads to it. */
async function sizeIfSame(path: string, file: FileHandle): Promise<number | undefined> {
  try {
    const [there, ours] = await Promise.all([stat(path), file.stat()])
    return there.ino === ours.ino && there.dev === ours.dev ? ours.size : undefined
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

function isMissing(error: unknown): boolean {
  return hasCode(error, 'ENOENT')
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

async function setAside({ path, keep, clock }: FileOutputOptions): Promise<void> {
  const folder = dirname(path)
  const before = await asideFiles(path)
  const name = await claimName(path, isoTime(clock.now()).replace(/[-:]/g, '').replace(/\..*/, ''))
  try {
    await rename(path, join(folder, name))
  } catch (error) {
    await rm(join(folder, name), { force: true })
    // Another process was faster.
    if (isMissing(error)) return
    throw error
  }
  if (keep < 0) return
  const oldest = [...before, name].toSorted().slice(0, Math.max(0, before.length + 1 - keep))
  await Promise.all(oldest.map(each => rm(join(folder, each), { force: true })))
}

/** Makes an empty file under a name that nobody has, so that several processes never take the same one. */
async function claimName(path: string, time: string): Promise<string> {
  for (let i = 0; ; i++) {
    const name = `${basename(path)}-${time}${i === 0 ? '' : `.${String(i).padStart(6, '0')}`}`
    try {
      await (await open(join(dirname(path), name), 'wx')).close()
      return name
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error
    }
  }
}

async function asideFiles(path: string): Promise<string[]> {
  const start = `${basename(path)}-`
  const names = await readdir(dirname(path))
  return names.filter(name => name.startsWith(start) && /^\d{8}T\d{6}(\.\d{6})?$/.test(name.slice(start.length)))
}

const retryMs = 50

/** Standard output, whatever it is. It is left open. */
export function createStdoutOutput(clock: Clock, fd = 1): LogOutput {
  const stats = fstatSync(fd)
  if (stats.isFIFO() || stats.isSocket()) return createStreamOutput(new Socket({ fd, readable: false, writable: true }))
  return {
    write: async bytes => {
      for (let done = 0; done < bytes.length; ) done += await writeSome(fd, bytes.subarray(done), clock)
    },
    close: async () => {},
  }
}

/** By the event loop: a thread that waited for a reader who does not read would keep the process from ending. */
function createStreamOutput(socket: Socket): LogOutput {
  // The write that fails is told of it.
  socket.on('error', () => {})
  socket.unref()
  return {
    write: bytes =>
      new Promise((resolve, reject) => {
        socket.write(bytes, error => (error ? reject(error) : resolve()))
      }),
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
