// Says whose a directory is: a file that its owner touches for as long as it lives. Who finds it taken may read, not write.
import { randomUUID } from 'node:crypto'
import { readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { z } from 'zod'
import type { Clock } from '../../watch/clock.ts'

/** After so long without a touch the owner is taken for dead, in milliseconds. */
export const lockExpiryMs = 30_000

const content = z.object({ owner: z.string(), host: z.string(), pid: z.int() })
type Owner = z.infer<typeof content>

/** A touch of another owner, and when it was first seen, as the clock's monotonic(). */
interface Touch {
  readonly owner: string
  readonly mtimeMs: number
  readonly seenAt: number
}

export interface DirectoryClaim {
  /** Who has it, for people; absent when it is ours. */
  readonly other?: string
  /** Ours only now: it was nobody's or another's, and what is in it may have changed. */
  readonly isNew: boolean
}

/** Shared by no two servers, unless both ask for a free one in the same instant: then both may believe that they have it. */
export class DirectoryLock {
  readonly #path: string
  readonly #clock: Clock
  readonly #self: Owner = { owner: randomUUID(), host: hostname(), pid: process.pid }
  /** As the clock's monotonic(). */
  #claimedAt = Number.NEGATIVE_INFINITY
  #lastTouch: Touch | undefined

  constructor(path: string, clock: Clock) {
    this.#path = path
    this.#clock = clock
  }

  /** False, too, when we have not touched it for so long that another may have it: a process can be stopped for a while. */
  get isOurs(): boolean {
    return this.#clock.monotonic() - this.#claimedAt < lockExpiryMs
  }

  /** Takes it, or shows that we live. Rejects when the directory cannot be written. */
  async claim(): Promise<DirectoryClaim> {
    const claimedAt = this.#clock.monotonic()
    let isDone = false
    try {
      const { other, isOurs } = await this.#look()
      if (other !== undefined) return { other: `process ${other.pid} on ${other.host}`, isNew: false }
      await this.#write()
      isDone = true
      return { isNew: !isOurs }
    } finally {
      this.#claimedAt = isDone ? claimedAt : Number.NEGATIVE_INFINITY
    }
  }

  async #write(): Promise<void> {
    const temporary = `${this.#path}.${this.#self.owner}.new`
    await writeFile(temporary, `${JSON.stringify(this.#self)}\n`, { mode: 0o600 })
    const now = this.#clock.now() / 1000
    await utimes(temporary, now, now)
    await rename(temporary, this.#path)
  }

  /** Never rejects: what cannot be removed runs out. */
  async release(): Promise<void> {
    if (!this.isOurs || !(await this.#look()).isOurs) return
    this.#claimedAt = Number.NEGATIVE_INFINITY
    await rm(this.#path, { force: true }).catch(() => undefined)
  }

  /** Who else has it and lives, and whether the file is ours. */
  async #look(): Promise<{ readonly other?: Owner; readonly isOurs: boolean }> {
    const [text, facts] = await Promise.all([
      readFile(this.#path, 'utf8').catch(() => ''),
      stat(this.#path).catch(() => undefined),
    ])
    const found = content.safeParse(jsonFrom(text))
    if (!found.success || facts === undefined) return { isOurs: false }
    if (found.data.owner === this.#self.owner) return { isOurs: true }
    const isFree = this.#hasRunOut(found.data, facts.mtimeMs) || hasEnded(found.data)
    return isFree ? { isOurs: false } : { isOurs: false, other: found.data }
  }

  /** By its time; and by ours when that lies in the future, as after a clock was set back. */
  #hasRunOut({ owner }: Owner, mtimeMs: number): boolean {
    const { owner: lastOwner, mtimeMs: lastMtimeMs } = this.#lastTouch ?? {}
    const now = this.#clock.monotonic()
    if (lastOwner !== owner || lastMtimeMs !== mtimeMs) this.#lastTouch = { owner, mtimeMs, seenAt: now }
    const seenAt = this.#lastTouch?.seenAt ?? now
    return this.#clock.now() - mtimeMs >= lockExpiryMs || now - seenAt >= lockExpiryMs
  }
}

/** Only of a process on this machine is that known. */
function hasEnded({ host, pid }: Owner): boolean {
  if (host !== hostname()) return false
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH'
  }
}

function jsonFrom(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // a lock that cannot be read is nobody's
  }
}
