// Where work on dtabs is done: small ones here and now, large ones in a worker, so that no turn of the event loop is long.
import { Worker } from 'node:worker_threads'
import { type ErrorCode, type ErrorDetail, NamingError } from '../../naming/errors.ts'
import { failure, type Result, success } from '../../naming/result.ts'
import type { ExportLine } from '../../proto/export-lines.ts'
import type { DtabEdit } from '../../storage/dtab-edit.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'
import { nextTurn } from '../../watch/pause.ts'
import type { CodecReply, CodecRequest } from './codec-worker.ts'
import { type CodecAnswer, type CodecJob, type Printing, runCodecJob } from './dtab-codec.ts'
import { type ImportLine, readImportLine } from './import-line.ts'
import { PrintCache } from './print-cache.ts'

/** Above this many bytes a job goes to the worker: what takes longer than a turn of the event loop may. */
const inlineBytes = 256 * 1024
/** An idle worker ends after this long. */
const idleMs = 30_000

/** The worker runs from source and from a build alike. */
const workerUrl = new URL(import.meta.url.endsWith('.ts') ? './codec-worker.ts' : './codec-worker.js', import.meta.url)

/** A dtab's text as it was asked for, and the hash of what it means. */
export interface Coded {
  readonly text: string
  readonly hash: string
}

export interface Codec {
  /** A body to the text to store: bad-dtab or bad-request with the place of the error. A large body's bytes are gone afterwards. */
  decode(bytes: Uint8Array, mediaType: string, namespace: string): Promise<Result<{ readonly text: string }>>
  /** The body of a PATCH to its edits: bad-request with the place of the error. A large body's bytes are gone afterwards. */
  decodeEdits(bytes: Uint8Array): Promise<Result<readonly DtabEdit[]>>
  /** A stored text as clients read it; store-corrupt when it does not parse. */
  print(text: string, as: Printing): Promise<Result<Coded>>
  /** As print, at once; undefined when that would take too long. */
  printNow(text: string, as: Printing): Result<Coded> | undefined
  /** The changes between two stored texts as a JSON array. */
  diff(from: string, to: string): Promise<Result<Coded>>
  /** The same as lines that begin with `+` or `-`. */
  diffLines(from: string, to: string): Promise<Result<string>>
  /** A stored text with single entries changed; the errors of `editDtabText`. */
  edit(text: string, edits: readonly DtabEdit[]): Promise<Result<{ readonly text: string }>>
  /** A line of an import: bad-request when it is none. A large line's bytes may be gone afterwards. */
  readImportLine(bytes: Uint8Array, maxDtabBytes: number): Promise<Result<ImportLine>>
  /** How many jobs went to the worker. */
  readonly jobsSent: number
  close(): Promise<void>
}

/** Starts no worker before there is large work; the caller closes it. */
export function createCodec(clock: Clock): Codec {
  const thread = new CodecThread(clock)
  const cache = new PrintCache()
  const printNow = (text: string, as: Printing): Result<Coded> | undefined =>
    text.length > inlineBytes ? undefined : printed(runCodecJob({ kind: 'print', text, as }))
  const runSized = (job: CodecJob, size: number): CodecAnswer | Promise<CodecAnswer> =>
    size > inlineBytes ? thread.run(job) : runCodecJob(job)
  return {
    decode: async (bytes, mediaType, namespace) => {
      const job: CodecJob = { kind: 'decode', bytes, mediaType, namespace }
      return resultOf(await runSized(job, bytes.byteLength))
    },
    decodeEdits: async bytes => {
      const decoded = resultOf(await runSized({ kind: 'edits', bytes }, bytes.byteLength))
      return decoded.ok ? success(JSON.parse(decoded.value.text) as readonly DtabEdit[]) : decoded // the job wrote it
    },
    printNow,
    print: async (text, as) =>
      printNow(text, as) ?? cache.print(text, as, async () => printed(await thread.run({ kind: 'print', text, as }))),
    diff: async (from, to) => printed(await runSized({ kind: 'diff', from, to, as: 'json' }, from.length + to.length)),
    diffLines: async (from, to) => {
      const lines = printed(await runSized({ kind: 'diff', from, to, as: 'lines' }, from.length + to.length))
      return lines.ok ? success(lines.value.text) : lines
    },
    edit: async (text, edits) => resultOf(await runSized({ kind: 'edit', text, edits }, text.length + sizeOf(edits))),
    readImportLine: async (bytes, maxDtabBytes) => {
      if (bytes.byteLength <= inlineBytes) return readImportLine(bytes, maxDtabBytes)
      return importLineOf(await thread.run({ kind: 'import-line', bytes, maxDtabBytes }))
    },
    get jobsSent() {
      return thread.sent
    },
    close: () => thread.close(),
  }
}

/** What the edits weigh, in characters of a text that costs as much to read. */
function sizeOf(edits: readonly DtabEdit[]): number {
  return edits.reduce((sum, edit) => sum + 40 + edit.prefix.length + (edit.op === 'remove' ? 0 : edit.dst.length), 0)
}

function resultOf(answer: CodecAnswer): Result<Coded> {
  if (answer.ok) return success({ text: answer.text, hash: answer.hash })
  return failure(new NamingError(answer.code, answer.message, { detail: answer.detail }))
}

/** What the job made of a line. */
interface PlainImportLine {
  readonly line: ExportLine
  readonly hasText?: boolean
  readonly why?: { readonly code: ErrorCode; readonly message: string; readonly detail: ErrorDetail }
}

function importLineOf(answer: CodecAnswer): Result<ImportLine> {
  if (!answer.ok) return failure(new NamingError(answer.code, answer.message, { detail: answer.detail }))
  const { line, hasText, why } = JSON.parse(answer.about ?? '{}') as PlainImportLine // the job wrote it
  if (line.kind !== 'version') return success({ line })
  const version = hasText === true ? { ...line.version, text: answer.text } : line.version
  const refusal = why && new NamingError(why.code, why.message, { detail: why.detail })
  return success({ line: { kind: 'version', version }, ...(refusal && { refusal }) })
}

/** What is stored was checked when it was written, so a fault is the store's. */
function printed(answer: CodecAnswer): Result<Coded> {
  const result = resultOf(answer)
  if (result.ok || result.error.code === 'internal' || result.error.code === 'unavailable') return result
  const { message, detail } = result.error
  return failure(new NamingError('store-corrupt', `The stored dtab does not parse: ${message}`, { detail }))
}

/** One worker, started when it is needed and ended when it has been idle. */
class CodecThread {
  readonly #clock: Clock
  readonly #waiting = new Map<number, (answer: CodecAnswer) => void>()
  #worker: Worker | undefined
  #idle: Cancel | undefined
  #isClosed = false
  sent = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** In a turn of its own, for what comes before and the copy to the worker may both be large. */
  async run(job: CodecJob): Promise<CodecAnswer> {
    await nextTurn(this.#clock)
    return this.#send(job)
  }

  #send(job: CodecJob): Promise<CodecAnswer> {
    if (this.#isClosed) return Promise.resolve(stopped('The server is stopping.'))
    this.#idle?.()
    this.#idle = undefined
    this.#worker ??= this.#start()
    const request: CodecRequest = { id: ++this.sent, job }
    this.#worker.postMessage(request, buffersOf(job))
    return new Promise(resolve => this.#waiting.set(request.id, resolve))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#end('The server is stopping.')
  }

  #start(): Worker {
    const worker = new Worker(workerUrl)
    worker.unref()
    worker.on('message', (reply: CodecReply) => this.#settle(reply))
    worker.on('error', error => this.#fail(worker, `The worker for large dtabs failed: ${String(error)}`))
    worker.on('exit', () => this.#fail(worker, 'The worker for large dtabs ended.'))
    return worker
  }

  #settle({ id, answer }: CodecReply): void {
    this.#waiting.get(id)?.(answer)
    this.#waiting.delete(id)
    if (this.#waiting.size > 0) return
    this.#idle = this.#clock.after(idleMs, () => void this.#end('The worker for large dtabs was idle.'))
  }

  #fail(worker: Worker, why: string): void {
    if (worker !== this.#worker) return
    this.#worker = undefined
    for (const settle of this.#waiting.values()) settle(stopped(why))
    this.#waiting.clear()
  }

  async #end(why: string): Promise<void> {
    this.#idle?.()
    this.#idle = undefined
    const worker = this.#worker
    if (worker === undefined) return
    this.#fail(worker, why)
    await worker.terminate()
  }
}

/** A body of its own memory is handed over instead of copied. */
function buffersOf(job: CodecJob): ArrayBuffer[] {
  if (job.kind !== 'decode' && job.kind !== 'edits' && job.kind !== 'import-line') return []
  const { buffer, byteLength } = job.bytes
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : []
}

function stopped(message: string): CodecAnswer {
  return { ok: false, code: 'unavailable', message, detail: {} }
}
