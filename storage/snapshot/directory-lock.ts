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

/** Shared by no two servers, unless both ask for a free one in the same instant: then both may believe that they have it. */
export class DirectoryLock {
  readonly #path: string
  readonly #clock: Clock
  readonly #self: Owner = { owner: randomUUID(), host: hostname(), pid: process.pid }
  #isOurs = false

  constructor(path: string, clock: Clock) {
    this.#path = path
    this.#clock = clock
  }

  get isOurs(): boolean {
    return this.#isOurs
  }

  /** Takes it, or shows that we live. Gives the other owner, for people, when there is one. Rejects when the directory cannot be written. */
  async claim(): Promise<string | undefined> {
    try {
      const other = await this.#other()
      if (other === undefined) await this.#write()
      this.#isOurs = other === undefined
      return other && `process ${other.pid} on ${other.host}`
    } catch (error) {
      this.#isOurs = false
      throw error
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
    if (!this.#isOurs || (await this.#other()) !== undefined) return
    this.#isOurs = false
    await rm(this.#path, { force: true }).catch(() => undefined)
  }

  /** Who else has it and lives. */
  async #other(): Promise<Owner | undefined> {
    const [text, facts] = await Promise.all([
      readFile(this.#path, 'utf8').catch(() => ''),
      stat(this.#path).catch(() => undefined),
    ])
    const found = content.safeParse(jsonFrom(text))
    if (!found.success || facts === undefined || found.data.owner === this.#self.owner) return undefined
    const hasRunOut = this.#clock.now() - facts.mtimeMs >= lockExpiryMs
    return hasRunOut || hasEnded(found.data) ? undefined : found.data
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
