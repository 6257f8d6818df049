// Where output goes that is good only as a whole: a file that appears under its name once all of it is on the disk, or
// standard output.
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { CliError, reasonOf } from './cli-error.ts'
import type { CliIo } from './cli-io.ts'

export interface WholeFile {
  write(bytes: Uint8Array): Promise<void>
  /** Puts the file in its place, over an older one. */
  finish(): Promise<void>
  /** Leaves no trace; harmless after finish. */
  discard(): Promise<void>
}

/** `-` is standard output, of which nothing can be taken back; nor can it of a device or a pipe, which stays what it is. */
export async function openWholeFile(file: string, io: CliIo): Promise<WholeFile> {
  if (file === '-') return { write: io.writeStdout, finish: async () => {}, discard: async () => {} }
  const named = resolve(io.cwd, file)
  const present = await stat(named).catch((error: unknown) => {
    if (isMissing(error)) return undefined
    throw cannotWrite(file, error)
  })
  if (present?.isDirectory()) throw cannotWrite(file, new Error('it is a directory'))
  const isOrdinary = present?.isFile() ?? true
  // What a link leads to is replaced, not the link.
  const path = present !== undefined && isOrdinary ? await realpath(named) : named
  const part = isOrdinary ? join(dirname(path), `.${basename(path)}.${process.pid}.part`) : path
  const handle = await open(part, 'w').catch((error: unknown) => {
    throw cannotWrite(file, error)
  })
  return isOrdinary ? fileOf({ file, path, part, handle }) : streamOf(file, handle)
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

function streamOf(file: string, handle: FileHandle): WholeFile {
  let isOpen = true
  const close = async (): Promise<void> => {
    if (isOpen) await handle.close()
    isOpen = false
  }
  return {
    write: async bytes => {
      await handle.writeFile(bytes).catch((error: unknown) => {
        throw new CliError(1, `cannot write ${file} (${reasonOf(error)})`, { cause: error })
      })
    },
    finish: close,
    discard: close,
  }
}

interface OpenPart {
  readonly file: string
  readonly path: string
  readonly part: string
  readonly handle: FileHandle
}

function fileOf({ file, path, part, handle }: OpenPart): WholeFile {
  let isDone = false
  return {
    write: async bytes => {
      await handle.writeFile(bytes).catch((error: unknown) => {
        throw cannotWrite(file, error)
      })
    },
    finish: async () => {
      try {
        await handle.sync()
        await handle.close()
        await rename(part, path)
        isDone = true
      } catch (error) {
        throw cannotWrite(file, error)
      }
    },
    discard: async () => {
      if (isDone) return
      isDone = true
      await handle.close()
      await rm(part, { force: true })
    },
  }
}

function cannotWrite(file: string, error: unknown): CliError {
  return new CliError(1, `cannot write ${file} (${reasonOf(error)}): nothing is left of it`, { cause: error })
}
