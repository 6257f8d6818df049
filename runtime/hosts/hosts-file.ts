// The hosts file as a cell: read when first needed, and again whenever it has changed.
import { isIP } from 'node:net'
import { NamingError } from '../../naming/errors.ts'
import type { Cell, Kernel, Sink } from '../../watch/cell.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'

/** Lower-case host name to its sorted addresses. */
export type Hosts = ReadonlyMap<string, readonly string[]>

/** The group of every source of host addresses: see SourceOptions. */
export const hostsGroup = 'dns'

const lookEveryMs = 2_000
/** A file that is being written is half of itself: a change is taken once it has stayed the same for so long. */
const settleMs = 100
const lingerMs = 30_000

/** Access to the file. */
export interface HostsFile {
  readonly path: string
  /** A text that changes whenever the file does; undefined while there is none. */
  stamp(): Promise<string | undefined>
  read(): Promise<string>
}

export interface HostsFileOptions {
  readonly kernel: Kernel
  readonly clock: Clock
  readonly file: HostsFile
}

/** A missing file lists nothing; one that cannot be read is a failure that keeps what was read before. */
export function createHostsFileCell({ kernel, clock, file }: HostsFileOptions): Cell<Hosts> {
  return kernel.source(
    `hosts file ${file.path}`,
    sink => {
      const reader = new HostsFileReader(file, sink, clock)
      reader.look()
      return () => reader.close()
    },
    { lingerMs, group: hostsGroup },
  )
}

/** Each line is an address and names; `#` begins a comment; lines without a valid address are passed over, as resolvers do. */
export function parseHosts(text: string): Hosts {
  const hosts = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const [content = ''] = line.split('#')
    const [address, ...names] = content.trim().split(/\s+/)
    if (address === undefined || isIP(address) === 0) continue
    for (const name of names.map(given => given.toLowerCase())) {
      const known = hosts.get(name)
      if (known === undefined) hosts.set(name, [address])
      else if (!known.includes(address)) known.push(address)
    }
  }
  for (const addresses of hosts.values()) addresses.sort()
  return hosts
}

class HostsFileReader {
  readonly #file: HostsFile
  readonly #sink: Sink<Hosts>
  readonly #clock: Clock
  #isOpen = true
  #hosts: Hosts | undefined
  /** Stamp of what was read, and of a change on trial. */
  #seen: string | undefined
  #trial: { readonly stamp: string | undefined } | undefined
  #isFailing = false
  #cancel: Cancel | undefined

  constructor(file: HostsFile, sink: Sink<Hosts>, clock: Clock) {
    this.#file = file
    this.#sink = sink
    this.#clock = clock
  }

  look(): void {
    this.#readIfChanged().then(
      hosts => this.#show(hosts),
      (error: unknown) => this.#fail(error),
    )
  }

  close(): void {
    this.#isOpen = false
    this.#cancel?.()
  }

  #show(hosts: Hosts | undefined): void {
    if (!this.#isOpen) return
    if (hosts === undefined || (hosts === this.#hosts && !this.#isFailing)) this.#sink.contact()
    else this.#sink.set(hosts)
    if (hosts !== undefined) this.#isFailing = false
    this.#hosts = hosts ?? this.#hosts
    this.#lookAfter(this.#trial === undefined ? lookEveryMs : settleMs)
  }

  #fail(error: unknown): void {
    if (!this.#isOpen) return
    this.#isFailing = true
    this.#sink.fail(unreadable(this.#file.path, error))
    this.#lookAfter(lookEveryMs)
  }

  #lookAfter(ms: number): void {
    this.#cancel = this.#clock.after(ms, () => this.look())
  }

  /** What the file lists now; undefined while a change is on trial. */
  async #readIfChanged(): Promise<Hosts | undefined> {
    const stamp = await this.#file.stamp()
    const trial = this.#trial
    this.#trial = undefined
    if (this.#hosts !== undefined) {
      if (stamp === this.#seen) return this.#hosts
      if (trial === undefined || trial.stamp !== stamp) {
        this.#trial = { stamp }
        return undefined
      }
    }
    const hosts: Hosts = stamp === undefined ? new Map() : parseHosts(await this.#file.read())
    this.#seen = stamp
    return hosts
  }
}

function unreadable(path: string, cause: unknown): NamingError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new NamingError('namer-unavailable', `the hosts file ${path} cannot be read: ${why}`, { cause })
}
