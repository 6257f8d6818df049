// One operating-system watch per directory, however many names are followed in it. Events only say where to look again;
// a poll finds what they missed. Knows nothing of what its listeners read.
import type { Log } from '../../runtime/log.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'
import { type Disk, type DiskEvent, meansMissing, readablePath, systemCode } from './disk.ts'
import { Repeater } from './repeater.ts'

/** Follows one name of a directory, or the directory as a whole. */
export interface DirectoryListener {
  /** An event under the listener's own name. */
  onEvent(event: DiskEvent): void
  /** Some other name came, went, or is something else now; which one may not be known. */
  onNeighbour(name?: string): void
  /** Looks again, whatever the events said; resolves when done and never rejects. */
  rescan(): Promise<void>
}

/** How often a directory is looked at although nothing was heard, in milliseconds, by what is known of it. */
export interface PollIntervals {
  readonly watching: number
  readonly polling: number
  readonly absent: number
}

export const pollIntervals: PollIntervals = { watching: 3000, polling: 1000, absent: 250 }

/** watching: events come. polling: no watch could be had. absent: there is no such directory. */
export type WatchMode = keyof PollIntervals

export interface DirectoryContext {
  readonly disk: Disk
  readonly clock: Clock
  readonly log: Log
  readonly intervals: PollIntervals
}

/** Listeners that look again at one time. */
const rescanLanes = 4
/** A round of looking takes at most this share of the time. */
const maxRescanShare = 0.1

export class DirectoryWatch {
  readonly #context: DirectoryContext
  readonly #directory: string
  readonly #baseName: string
  readonly #listeners = new Map<string | undefined, Set<DirectoryListener>>()
  readonly #inspection: Repeater
  #wantsRescan = false
  #isSuspect = false
  #mayBeLink = true
  #mode: WatchMode = 'absent'
  #identity: string | undefined
  #detach: (() => void) | undefined
  #cancelPoll: Cancel | undefined
  #isClosed = false

  /** Watches at once; `close` ends it. */
  constructor(context: DirectoryContext, directory: string) {
    this.#context = context
    this.#directory = directory
    this.#baseName = directory.slice(directory.lastIndexOf('/') + 1)
    this.#inspection = new Repeater(
      () => this.#inspect(),
      error => context.log.error({ err: error, directory: readablePath(directory) }, 'looking at a directory failed'),
    )
    this.#attach()
    this.#inspection.ask()
    this.#schedule(context.intervals[this.#mode])
  }

  get mode(): WatchMode {
    return this.#mode
  }

  /** Whether the directory is reached through a symbolic link of its own name, or that is not known yet. */
  get mayBeLink(): boolean {
    return this.#mayBeLink
  }

  /** Adds a listener for one name, or for any when it is undefined. */
  add(name: string | undefined, listener: DirectoryListener): void {
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners.add(listener))
  }

  /** Whether no listener is left. */
  remove(name: string | undefined, listener: DirectoryListener): boolean {
    const listeners = this.#listeners.get(name)
    listeners?.delete(listener)
    if (listeners?.size === 0) this.#listeners.delete(name)
    return this.#listeners.size === 0
  }

  /** Checks that the watch is still on what the path leads to; without a wait, `ask`. */
  get inspection(): Repeater {
    return this.#inspection
  }

  /** The path may have become another directory, perhaps with the same inode: watches anew, looks at everything again. */
  replaced(): void {
    this.#isSuspect = true
    this.#inspection.ask()
  }

  close(): void {
    this.#isClosed = true
    this.#cancelPoll?.()
    this.#detach?.()
    this.#detach = undefined
  }

  #attach(): void {
    this.#detach?.()
    this.#detach = undefined
    try {
      this.#identity = this.#context.disk.identitySync(this.#directory)
      if (this.#identity === undefined) {
        this.#setMode('absent')
        return
      }
      this.#detach = this.#context.disk.watch(this.#directory, this.#onEvent, this.#onError)
      this.#setMode('watching')
    } catch (error) {
      if (meansMissing(error)) this.#setMode('absent')
      else this.#setMode('polling', error)
    }
  }

  #setMode(mode: WatchMode, error?: unknown): void {
    if (mode === this.#mode) return
    const before = this.#mode
    this.#mode = mode
    this.#schedule(this.#context.intervals[mode])
    const facts = { directory: readablePath(this.#directory) }
    if (mode === 'polling')
      this.#context.log.warn({ ...facts, err: error }, pollingReason(error, this.#context.intervals))
    else if (before === 'polling') this.#context.log.info(facts, 'the directory is no longer polled')
  }

  readonly #onEvent = (event: DiskEvent, name?: string): void => {
    if (this.#isClosed) return
    // Without a name anything may have happened; under the directory's own name, to the directory itself.
    if (name === this.#baseName && event === 'rename') this.replaced()
    else if (name === undefined || name === this.#baseName) this.#rescanSoon()
    for (const listener of this.#listeners.get(name) ?? []) listener.onEvent(event)
    if (event === 'rename') this.#tellNeighbours(name)
  }

  #tellNeighbours(name: string | undefined): void {
    for (const [other, listeners] of this.#listeners)
      if (other !== name) for (const listener of listeners) listener.onNeighbour(name)
  }

  readonly #onError = (error: Error): void => {
    if (this.#isClosed) return
    this.#detach?.()
    this.#detach = undefined
    this.#setMode('polling', error)
  }

  #rescanSoon(): void {
    this.#wantsRescan = true
    this.#inspection.ask()
  }

  async #inspect(): Promise<void> {
    const mustRescan = this.#wantsRescan
    this.#wantsRescan = false
    const identity = await this.#presentIdentity()
    if (this.#isClosed) return
    const isOther = identity !== this.#identity || this.#isSuspect
    this.#isSuspect = false
    if (isOther || this.#mayBeLink) await this.#lookForLink()
    if (this.#isClosed) return
    if (isOther || this.#mode === 'polling') this.#attach()
    // Between the look and the watch the directory may have been swapped once more.
    if (isOther) this.#inspection.ask()
    if (isOther || mustRescan) await this.#rescan()
  }

  /** What cannot be known is taken for a link, which is looked at more often. */
  async #lookForLink(): Promise<void> {
    this.#mayBeLink = true
    try {
      this.#mayBeLink = (await this.#context.disk.linkTarget(this.#directory)) !== undefined
    } catch (error) {
      this.#context.log.debug({ err: error, directory: readablePath(this.#directory) }, 'a link cannot be read')
    }
  }

  /** What cannot be looked at is taken as unchanged: its files tell of the failure themselves. */
  async #presentIdentity(): Promise<string | undefined> {
    try {
      return await this.#context.disk.identity(this.#directory)
    } catch (error) {
      this.#context.log.debug(
        { err: error, directory: readablePath(this.#directory) },
        'a directory cannot be looked at',
      )
      return this.#identity
    }
  }

  async #rescan(): Promise<void> {
    const waiting = [...this.#listeners.values()].flatMap(listeners => [...listeners]).values()
    const lane = async (): Promise<void> => {
      for (const listener of waiting) if (!this.#isClosed) await listener.rescan()
    }
    await Promise.all(Array.from({ length: rescanLanes }, lane))
  }

  #schedule(ms: number): void {
    this.#cancelPoll?.()
    this.#cancelPoll = this.#context.clock.after(ms, () => this.#poll())
  }

  async #poll(): Promise<void> {
    const startedAt = this.#context.clock.monotonic()
    this.#wantsRescan ||= this.#mode !== 'absent'
    await this.#inspection.run()
    if (this.#isClosed) return
    const tookMs = this.#context.clock.monotonic() - startedAt
    this.#schedule(Math.max(this.#context.intervals[this.#mode], tookMs / maxRescanShare))
  }
}

function pollingReason(error: unknown, intervals: PollIntervals): string {
  const every = `the directory is polled every ${intervals.polling / 1000} s`
  const code = systemCode(error)
  if (code === 'ENOSPC') return `no inotify watch is left; ${every}; raise fs.inotify.max_user_watches`
  if (code === 'EMFILE') return `no inotify instance is left; ${every}; raise fs.inotify.max_user_instances`
  return `the directory cannot be watched; ${every}`
}
