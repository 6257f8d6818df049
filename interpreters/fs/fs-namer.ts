// The namer over a directory of discovery files: a path's labels are walked down the directory until a file is met.
import { leaf, type NameTree, neg } from '../../naming/name-tree.ts'
import { type Label, type Path, showPath } from '../../naming/path.ts'
import { noSuchReplicas, type ReplicaSet } from '../../naming/replica-set.ts'
import type { Env } from '../../runtime/env.ts'
import type { Cell, Pool, Read, Sink } from '../../watch/cell.ts'
import { failed, ok, pendingOn, type State } from '../../watch/state.ts'
import type { Namer, NamerLeaf } from '../namer.ts'
import { type PollIntervals, pollIntervals } from './directory-watch.ts'
import { DirectoryWatches } from './directory-watches.ts'
import { byteString, type Disk, readablePath } from './disk.ts'
import { type EmptyFileRule, EmptyFileSink } from './empty-file.ts'
import { type Entry, FileFollower, type FollowerContext, sameEntry } from './file-follower.ts'
import { countDirectories, createFsMetrics } from './fs-metrics.ts'
import { type LookUpHost, sharingLookUps, systemLookUp } from './host-lookup.ts'
import { observeNames } from './names.ts'
import { nodeDisk } from './node-disk.ts'

export interface FsNamerOptions {
  /** Absolute. */
  readonly rootDir: string
  readonly prefix: Path
  /** An emptied file is bound to nothing when absent, as in namerd. */
  readonly emptyFiles?: EmptyFileRule
  /** Stand-ins for tests; the real ones when absent. */
  readonly disk?: Disk
  readonly lookUpHost?: LookUpHost
  readonly intervals?: PollIntervals
  readonly lingerMs?: number
}

/** Files stay followed for this long after their last watcher left, in milliseconds. */
const defaultLingerMs = 1000

const emptyStaysBound: EmptyFileRule = { emptyIsNeg: false, emptyHoldDownMs: 0 }

/** The caller closes it. The directory need not exist yet. */
export function createFsNamer(options: FsNamerOptions, env: Env): Namer {
  return new FsNamer(options, env)
}

class FsNamer implements Namer {
  readonly prefix: Path
  readonly #env: Env
  readonly #disk: Disk
  readonly #root: string
  readonly #shownRoot: string
  readonly #lingerMs: number
  readonly #emptyFiles: EmptyFileRule
  readonly #context: FollowerContext
  readonly #directories: DirectoryWatches
  readonly #stopCounting: () => void
  readonly #followers = new Set<FileFollower>()
  readonly #entries: Pool<Path, Entry>
  readonly #replicas: Pool<Path, ReplicaSet>
  readonly #names: Cell<readonly Path[]>

  constructor(options: FsNamerOptions, env: Env) {
    const { prefix, disk = nodeDisk, lookUpHost = systemLookUp, intervals = pollIntervals } = options
    const { kernel, clock, log } = env
    this.prefix = prefix
    this.#env = env
    this.#disk = disk
    this.#root = byteString(options.rootDir)
    this.#shownRoot = readablePath(this.#root)
    this.#lingerMs = options.lingerMs ?? defaultLingerMs
    this.#emptyFiles = options.emptyFiles ?? emptyStaysBound
    this.#context = {
      disk,
      clock,
      log,
      metrics: createFsMetrics(env.metrics, clock),
      lookUpHost: sharingLookUps(lookUpHost),
      retryMs: intervals.watching,
    }
    this.#directories = new DirectoryWatches({ disk, clock, log, intervals }, this.#root)
    this.#stopCounting = countDirectories(env.metrics, mode => this.#directories.count(mode))
    this.#entries = kernel.pool(labels => this.#observeEntry(labels), showPath)
    this.#replicas = kernel.pool(id => this.#observeReplicas(id), showPath)
    this.#names = this.#observeNames()
  }

  lookup(rest: Path, read: Read): State<NameTree<NamerLeaf>> {
    const found = this.#find(rest, read, isOtherKind)
    if (found.kind !== 'ok') return found
    if (found.value.kind === 'nothing') return ok(neg)
    const { length } = found.value
    return ok(leaf({ kind: 'bound', id: [...this.prefix, ...rest.slice(0, length)], residual: rest.slice(length) }))
  }

  replicas(id: Path): Cell<ReplicaSet> {
    return this.#replicas.at(id)
  }

  names(): Cell<readonly Path[]> {
    return this.#names
  }

  close(): void {
    for (const follower of this.#followers) follower.close()
    this.#followers.clear()
    this.#directories.close()
    this.#stopCounting()
  }

  #observeEntry(labels: Path): Cell<Entry> {
    const directory = [this.#root, ...labels.slice(0, -1)].join('/')
    const name = labels.at(-1) ?? ''
    const open = (sink: Sink<Entry>): (() => void) => {
      const shown = new EmptyFileSink(sink, this.#emptyFiles, this.#env.clock)
      const follower = new FileFollower(this.#context, `${directory}/${name}`, shown)
      const leave = this.#directories.join(directory, name, follower)
      this.#followers.add(follower)
      follower.look()
      return () => {
        this.#followers.delete(follower)
        follower.close()
        shown.close()
        leave()
      }
    }
    const options = { equals: sameEntry, lingerMs: this.#lingerMs, group: showPath(this.prefix) }
    return this.#env.kernel.source(this.#nameOf(labels), open, options)
  }

  #observeReplicas(id: Path): Cell<ReplicaSet> {
    const rest = id.slice(this.prefix.length)
    return this.#env.kernel.derive(`fs replicas ${showPath(id)}`, read => {
      const found = this.#find(rest, read, isAnyChange)
      if (found.kind !== 'ok') return found
      if (found.value.kind === 'nothing') return ok(noSuchReplicas)
      const { replicas, problem } = found.value
      return replicas === undefined ? failed(problem ?? new Error('the file was never readable')) : ok(replicas)
    })
  }

  #observeNames(): Cell<readonly Path[]> {
    return observeNames({
      kernel: this.#env.kernel,
      disk: this.#disk,
      directories: this.#directories,
      root: this.#root,
      prefix: this.prefix,
      lingerMs: this.#lingerMs,
    })
  }

  /** The first file on the way down `rest`. */
  #find(rest: Path, read: Read, affects: (before: Entry, after: Entry) => boolean): State<Found> {
    for (let length = 1; length <= rest.length; length++) {
      if (!isFileName(rest[length - 1] ?? '')) return ok(nothing)
      const labels = rest.slice(0, length)
      const state = read(this.#entries.at(labels), affects)
      if (state.kind === 'pending') return pendingOn(this.#nameOf(labels))
      if (state.kind === 'failed') return state
      if (state.value.kind === 'missing') return ok(nothing)
      if (state.value.kind === 'file') return ok({ ...state.value, length, problem: state.stale?.reason })
    }
    return ok(nothing)
  }

  #nameOf(labels: Path): string {
    return `fs ${this.#shownRoot}${showPath(labels)}`
  }
}

/** `length` labels lead to a file; `problem` is why its endpoints are stale or absent. */
type Found =
  | { readonly kind: 'nothing' }
  | {
      readonly kind: 'file'
      readonly length: number
      readonly replicas?: ReplicaSet
      readonly problem: Error | undefined
    }

const nothing: Found = { kind: 'nothing' }

const isAnyChange = (): boolean => true
const isOtherKind = (before: Entry, after: Entry): boolean => before.kind !== after.kind

/** A label that names an entry of its directory and nothing elsewhere. */
function isFileName(label: Label): boolean {
  return label !== '.' && label !== '..' && !/[/\0]/.test(label)
}
