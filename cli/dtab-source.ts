// The dtab that a command is given: a file, or standard input for `-`.
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { CliError, reasonOf } from './cli-error.ts'
import type { CliIo } from './cli-io.ts'
import { strictText } from './strict-text.ts'

export interface DtabSource {
  readonly text: string
  /** How messages name it. */
  readonly name: string
  readonly contentType: 'application/json' | 'application/dtab'
}

/** JSON is told by its first character: dtab text begins with a slash or a comment. */
export async function readDtabSource(file: string, io: CliIo): Promise<DtabSource> {
  const text = file === '-' ? await io.readStdin() : await readText(resolve(io.cwd, file), file)
  return { text, name: file === '-' ? 'standard input' : file, contentType: contentTypeOf(text) }
}

function contentTypeOf(text: string): DtabSource['contentType'] {
  return /^\s*[[{]/.test(text) ? 'application/json' : 'application/dtab'
}

async function readText(path: string, file: string): Promise<string> {
  return strictText(await readBytes(path, file), file)
}

async function readBytes(path: string, file: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (error) {
    const cure = 'give a file with a dtab, or - for standard input'
    throw new CliError(1, `cannot read ${file} (${reasonOf(error)}): ${cure}`, { cause: error })
  }
}
