// Follows what one path shows and publishes it to a cell: nothing, a directory, or a file with its endpoints. Existence and
// endpoints are two views of that one cell. Reads when told to; decides by content.
import { contentHash } from '../../naming/content-hash.ts'
import { NamingError } from '../../naming/errors.ts'
import type { Endpoint, ReplicaSet } from '../../naming/replica-set.ts'
import type { Log } from '../../runtime/log.ts'
import type { Sink } from '../../watch/cell.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'
import { nextTurn } from '../../watch/pause.ts'
import type { DirectoryListener } from './directory-watch.ts'
import { type Disk, type DiskEvent, type Reading, readablePath } from './disk.ts'
import { type EndpointLines, endpointKey, parseEndpointFile } from './endpoint-file.ts'
import type { FsMetrics } from './fs-metrics.ts'
import { type HostLookupContext, type LookUpHost, noHosts, type ResolvedLines, resolveLines } from './host-lookup.ts'
import { type Evidence, type Held, isWhole, type Seen, settleMs } from './publishing-rule.ts'
import { Repeater } from './repeater.ts'

/** What a path is. A file without `replicas` was never readable and well formed; its cell is stale with the reason. */
export type Entry =
  | { readonly kind: 'missing' | 'directory' }
  | { readonly kind: 'file'; readonly replicas?: ReplicaSet }

/** Whether nobody can tell two entries apart. */
export function sameEntry(a: Entry, b: Entry): boolean {
  if (a.kind !== 'file' || b.kind !== 'file') return a.kind === b.kind
  return a.replicas === b.replicas || replicasKey(a.replicas) === replicasKey(b.replicas)
}

function replicasKey(replicas: ReplicaSet | undefined): string {
  if (replicas === undefined || replicas.kind === 'neg') return ''
  const keys = replicas.endpoints.map(({ address, port, weight }: Endpoint) => `${address} ${port} ${weight}`)
  return `bound ${keys.join()}`
}

export interface FollowerContext {
  readonly disk: Disk
  readonly clock: Clock
  readonly log: Log
  readonly metrics: FsMetrics
  readonly lookUpHost: LookUpHost
  /** After a failure the file is looked at again at the latest after so long, in milliseconds. */
  readonly retryMs: number
}

const nothingSeen = (disk: Disk): Evidence => ({ renamed: false, wrote: !disk.tellsWrites })

/** A doubtful reading on trial; `isDue` once it stayed the same for long enough. */
interface Candidate {
  readonly key: string
  readonly cancel: Cancel
  isDue: boolean
}

export class FileFollower implements DirectoryListener {
  readonly #context: FollowerContext
  readonly #path: string
  readonly #shownPath: string
  readonly #sink: Sink<Entry>
  readonly #looking: Repeater
  #isClosed = false
  #isLink = false
  #via: readonly string[] | undefined
  /** Since the last publication, and since the present reading began. */
  #evidence: Evidence
  #newEvidence: Evidence
  #held: Held = { kind: 'unknown' }
  #heldKey = ''
  #entry: Entry | undefined
  #lines: EndpointLines = []
  #hosts = noHosts
  #isResolvingAgain = false
  #problem: Error | undefined
  #candidate: Candidate | undefined
  #toldAt: number | undefined

  constructor(context: FollowerContext, path: string, sink: Sink<Entry>) {
    this.#context = context
    this.#path = path
    this.#shownPath = readablePath(path)
    this.#sink = sink
    this.#evidence = this.#newEvidence = nothingSeen(context.disk)
    this.#looking = new Repeater(
      () => this.#lookNow(),
      error => this.#fail(NamingError.from(error)),
    )
  }

  /** Looks again, and publishes what it finds or puts it on trial. */
  look(): void {
    if (!this.#isClosed) this.#looking.ask()
  }

  async rescan(): Promise<void> {
    if (!this.#isClosed) await this.#looking.run()
  }

  onEvent(event: DiskEvent): void {
    this.#toldAt ??= this.#context.clock.monotonic()
    const add = (evidence: Evidence): Evidence => ({
      renamed: evidence.renamed || event === 'rename',
      wrote: evidence.wrote || event === 'change',
    })
    this.#evidence = add(this.#evidence)
    this.#newEvidence = add(this.#newEvidence)
    this.look()
  }

  /** A link on the way, such as Kubernetes' `..data`, may lead elsewhere now. */
  onNeighbour(name?: string): void {
    if (!this.#isLink) return
    if (name === undefined || this.#via === undefined || this.#via.includes(name)) this.look()
  }

  close(): void {
    this.#isClosed = true
    this.#dropCandidate()
  }

  async #lookNow(): Promise<void> {
    this.#newEvidence = nothingSeen(this.#context.disk)
    const reading = await this.#read()
    // What was done before the reading has been told after two turns of the event loop.
    if (this.#evidence.renamed) for (let i = 0; i < 2; i++) await nextTurn(this.#context.clock)
    if (this.#isClosed || reading === undefined) return
    this.#isLink = reading.isLink
    this.#via = reading.kind === 'file' ? reading.via : undefined
    if (reading.kind === 'unreadable') this.#showUnreadable(reading.error)
    else await this.#judge(reading)
  }

  async #read(): Promise<Reading | undefined> {
    try {
      return await this.#context.disk.read(this.#path)
    } catch (error) {
      this.#fail(this.#unreadable(error))
      return undefined
    }
  }

  async #judge(reading: Readable): Promise<void> {
    const key = reading.kind === 'file' ? `file ${contentHash(reading.text)}` : reading.kind
    if (key === this.#heldKey) return this.#confirm(reading)
    const { seen, problem } = this.#understand(reading)
    const isSettled = this.#candidate?.key === key && this.#candidate.isDue
    if (isSettled || isWhole(seen, this.#held, this.#evidence)) await this.#publish(seen, key, problem)
    else this.#tryOut(key)
  }

  #understand(reading: Readable): { readonly seen: Seen; readonly problem?: Error } {
    if (reading.kind !== 'file') return { seen: { kind: reading.kind } }
    const { text, realPath, modifiedAt } = reading
    const parsed = parseEndpointFile(text, this.#shownPath)
    const seen = { kind: 'file', realPath, text, ageMs: this.#context.clock.now() - modifiedAt } as const
    return parsed.ok ? { seen: { ...seen, lines: parsed.value } } : { seen, problem: parsed.error }
  }

  /** The content is the one published: only a failure may end with it. */
  async #confirm(reading: Readable): Promise<void> {
    this.#dropCandidate()
    this.#evidence = this.#newEvidence
    this.#toldAt = undefined
    if (this.#held.kind === 'file' && reading.kind === 'file')
      this.#held = { ...this.#held, realPath: reading.realPath }
    if (this.#problem !== undefined) return this.#fail(this.#problem)
    if (this.#hosts.unresolved.size > 0) this.#resolveAgain()
    if (this.#entry !== undefined && !this.#isClosed) this.#sink.set(this.#entry)
  }

  #tryOut(key: string): void {
    if (this.#candidate?.key === key) return
    this.#dropCandidate()
    const cancel = this.#context.clock.after(settleMs, () => {
      candidate.isDue = true
      this.look()
    })
    const candidate = { key, cancel, isDue: false }
    this.#candidate = candidate
  }

  #dropCandidate(): void {
    this.#candidate?.cancel()
    this.#candidate = undefined
  }

  async #publish(seen: Seen, key: string, problem: Error | undefined): Promise<void> {
    this.#dropCandidate()
    this.#evidence = this.#newEvidence
    this.#heldKey = key
    this.#problem = problem
    this.#held = heldOf(seen, this.#held)
    if (problem !== undefined) return this.#showProblem(problem)
    if (seen.kind === 'file') await this.#resolve(seen.lines ?? [])
    else this.#entry = { kind: seen.kind }
    if (this.#isClosed || this.#entry === undefined) return
    this.#sink.set(this.#entry)
    this.#context.metrics.updated(this.#toldAt)
    this.#toldAt = undefined
  }

  async #resolve(lines: EndpointLines): Promise<void> {
    this.#lines = lines
    this.#adopt(await resolveLines(lines, this.#lookup))
  }

  get #lookup(): HostLookupContext {
    return { ...this.#context, file: this.#shownPath, known: this.#hosts }
  }

  #adopt({ endpoints, hosts }: ResolvedLines): void {
    this.#hosts = hosts
    this.#entry = { kind: 'file', replicas: { kind: 'bound', endpoints } }
  }

  /** Nobody waits for it: a name server that is away holds back neither this file's changes nor the polls of others. */
  #resolveAgain(): void {
    if (this.#isResolvingAgain) return
    this.#isResolvingAgain = true
    const lines = this.#lines
    const adopt = (resolved: ResolvedLines): void => {
      if (this.#isClosed || lines !== this.#lines || this.#problem !== undefined || this.#held.kind !== 'file') return
      this.#adopt(resolved)
      if (this.#entry !== undefined) this.#sink.set(this.#entry)
    }
    resolveLines(lines, this.#lookup, this.#hosts.unresolved)
      .then(adopt)
      .catch((error: unknown) => this.#fail(NamingError.from(error)))
      .finally(() => {
        this.#isResolvingAgain = false
      })
  }

  #showUnreadable(error: Error): void {
    this.#dropCandidate()
    if (this.#held.kind !== 'file') {
      this.#held = { kind: 'file', realPath: this.#path, endpoints: new Set() }
      this.#heldKey = 'unreadable'
    }
    this.#showProblem(this.#unreadable(error))
  }

  /** The last good endpoints stay; without any the file exists all the same. */
  #showProblem(error: Error): void {
    if (this.#entry?.kind !== 'file') {
      this.#entry = { kind: 'file' }
      this.#sink.set(this.#entry)
    }
    this.#fail(error)
  }

  #unreadable(error: unknown): NamingError {
    const reason = error instanceof Error ? error.message : String(error)
    return new NamingError('namer-unavailable', `cannot read ${this.#shownPath}: ${reason}`, { cause: error })
  }

  #fail(error: Error): void {
    if (this.#isClosed) return
    this.#context.metrics.failed()
    this.#sink.fail(error, this.#context.clock.now() + this.#context.retryMs)
  }
}

type Readable = Exclude<Reading, { readonly kind: 'unreadable' }>

/** A malformed file takes no endpoints away: those of the last good one stay held. */
function heldOf(seen: Seen, before: Held): Held {
  if (seen.kind !== 'file') return seen
  const endpoints = seen.lines?.map(endpointKey) ?? (before.kind === 'file' ? before.endpoints : [])
  return { kind: 'file', realPath: seen.realPath, endpoints: new Set(endpoints) }
}
