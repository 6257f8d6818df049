// The names whose Endpoints object was cut off by the API server's controller: told once in the log, and counted.
import { NamingError } from '../../naming/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { EndpointRecord } from './endpoint-record.ts'
import { type ServiceName, showServiceName } from './service-path.ts'

export class TruncatedNames {
  readonly #log: Log
  readonly #names = new Set<ServiceName>()

  constructor(log: Log) {
    this.#log = log
  }

  get size(): number {
    return this.#names.size
  }

  /** What is wrong with the name, undefined when nothing is. */
  check(name: ServiceName, records: ReadonlyMap<string, EndpointRecord> | undefined): NamingError | undefined {
    if (!someTruncated(records)) {
      this.#names.delete(name)
      return undefined
    }
    const shown = showServiceName(name)
    const message = `the Endpoints of ${shown} are truncated: only some are known; allow the reading of EndpointSlices`
    if (!this.#names.has(name)) this.#log.warn({ name: shown }, 'Endpoints are truncated: only some are known')
    this.#names.add(name)
    return new NamingError('namer-unavailable', message)
  }

  /** The name is followed no more. */
  forget(name: ServiceName): void {
    this.#names.delete(name)
  }
}

function someTruncated(records: ReadonlyMap<string, EndpointRecord> | undefined): boolean {
  for (const { isTruncated } of records?.values() ?? []) if (isTruncated) return true
  return false
}
