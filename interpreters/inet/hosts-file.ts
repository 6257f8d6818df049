// The hosts file as a cell: read when first needed, and again whenever it has changed.
import { isIP } from 'node:net'
import { NamingError } from '../../naming/errors.ts'
import type { Cell, Kernel, Sink } from '../../watch/cell.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'

/** Lower-case host name to its sorted addresses. */
export type Hosts = ReadonlyMap<string, readonly string[]>

const lookEveryMs = 2_000
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
    { lingerMs },
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
  #hasRead = false
  #seen: string | undefined
  #cancel: Cancel | undefined

  constructor(file: HostsFile, sink: Sink<Hosts>, clock: Clock) {
    this.#file = file
    this.#sink = sink
    this.#clock = clock
  }

  look(): void {
    this.#readIfChanged().then(
      hosts => this.#finish(() => (hosts === undefined ? this.#sink.contact() : this.#sink.set(hosts))),
      (error: unknown) => this.#finish(() => this.#sink.fail(unreadable(this.#file.path, error))),
    )
  }

  close(): void {
    this.#isOpen = false
    this.#cancel?.()
  }

  #finish(report: () => void): void {
    if (!this.#isOpen) return
    report()
    this.#cancel = this.#clock.after(lookEveryMs, () => this.look())
  }

  async #readIfChanged(): Promise<Hosts | undefined> {
    const stamp = await this.#file.stamp()
    if (this.#hasRead && stamp === this.#seen) return undefined
    const hosts: Hosts = stamp === undefined ? new Map() : parseHosts(await this.#file.read())
    this.#hasRead = true
    this.#seen = stamp
    return hosts
  }
}

function unreadable(path: string, cause: unknown): NamingError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new NamingError('namer-unavailable', `the hosts file ${path} cannot be read: ${why}`, { cause })
}
