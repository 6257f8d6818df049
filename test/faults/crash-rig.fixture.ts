// Kills a writing process with SIGKILL at a random acknowledgement and checks what the file then holds.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { contentHash } from '../../naming/content-hash.ts'
import { Reader } from '../../storage/sqlite/reader.ts'
import { Writer } from '../../storage/sqlite/writer.ts'
import type { Version } from '../../storage/store.ts'

const writerFile = join(import.meta.dirname, 'crash-writer.fixture.ts')

/** A version that the killed process had been told is safe. */
interface Acknowledged {
  readonly namespace: string
  readonly version: number
  readonly hash: string
}

export interface CrashOutcome {
  readonly acknowledged: number
  readonly stored: number
  /** What is wrong with the file, in words; empty when nothing is. */
  readonly faults: readonly string[]
}

/** One round: starts the writer on `path`, kills it after `kills` acknowledgements, opens the file again and looks. */
export async function crashRound(path: string, killAfter: number): Promise<CrashOutcome> {
  const acknowledged = await writeUntilKilled(path, killAfter)
  const writer = new Writer(path, 0)
  const reader = new Reader(path)
  const versions = reader.summaries().flatMap(({ namespace }) => allVersions(reader, namespace))
  const faults = [...lost(acknowledged, reader), ...torn(versions), ...gaps(versions), ...integrity(path)]
  reader.close()
  writer.close()
  return { acknowledged: acknowledged.length, stored: versions.length, faults }
}

function writeUntilKilled(path: string, killAfter: number): Promise<readonly Acknowledged[]> {
  const child = spawn(process.execPath, [writerFile, path], { stdio: ['ignore', 'pipe', 'pipe'] })
  let lines = ''
  let complaint = ''
  child.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk
  })
  child.stdout.on('data', (chunk: Buffer) => {
    lines += chunk
    if (lines.split('\n').length > killAfter) child.kill('SIGKILL')
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (_code, signal) => {
      if (signal === 'SIGKILL') resolve(parseLines(lines))
      else reject(new Error(`the writer ended by itself: ${complaint}`))
    })
  })
}

/** The last line may be cut by the kill. */
function parseLines(lines: string): readonly Acknowledged[] {
  return lines
    .split('\n')
    .slice(0, -1)
    .map(line => {
      const [namespace = '', version = '', hash = ''] = line.split(' ')
      return { namespace, version: Number(version), hash }
    })
}

const allVersions = (reader: Reader, namespace: string): readonly Version[] =>
  reader.history(namespace, { limit: 1_000_000 }).flatMap(({ version }) => reader.version(namespace, version) ?? [])

function lost(acknowledged: readonly Acknowledged[], reader: Reader): readonly string[] {
  return acknowledged
    .filter(({ namespace, version, hash }) => contentHash(reader.version(namespace, version)?.text ?? '') !== hash)
    .map(({ namespace, version }) => `lost: ${namespace} ${version}`)
}

function torn(versions: readonly Version[]): readonly string[] {
  return versions
    .filter(({ text = '' }) => {
      const newline = text.indexOf('\n')
      return text.slice(0, newline) !== `# ${contentHash(text.slice(newline + 1))}`
    })
    .map(({ namespace, version }) => `torn: ${namespace} ${version}`)
}

/** Newest first within each namespace: every number down to 1, each the child of the one below. */
function gaps(versions: readonly Version[]): readonly string[] {
  return versions
    .filter(({ namespace, version, meta }, i) => {
      const below = versions[i + 1]
      const expected = below?.namespace === namespace ? below.version : 0
      return meta.parent !== expected || version !== expected + 1
    })
    .map(({ namespace, version }) => `gap below: ${namespace} ${version}`)
}

function integrity(path: string): readonly string[] {
  const db = new Database(path, { readonly: true })
  const answer = db.pragma('integrity_check', { simple: true })
  db.close()
  return answer === 'ok' ? [] : [`integrity: ${answer}`]
}
