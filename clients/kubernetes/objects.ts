// Reads and changes single objects, and lists metadata. Knows nothing of what is in them.
import { pause } from '../../watch/pause.ts'
import { isRecord, RefusedError, readBody } from './answer.ts'
import {
  type KubernetesObjects,
  KubernetesStatusError,
  type MetadataListing,
  type MetadataQuery,
  type Preconditions,
} from './cluster.ts'
import type { WireRequest } from './exchange.ts'
import type { Requests } from './requests.ts'
import { sayFailure } from './say-failure.ts'
import { decodeVersion, metadataOf, parseJson, WatchBrokenError } from './watch-event.ts'

/** How long the server may be silent. */
const idleMs = 4_000
const maxBytes = 64 << 20
const pageObjects = 500
/** A list whose version the server forgets between two pages begins anew so often. */
const maxRestarts = 2
/** A server that is too busy, or did not know our credentials, has not looked at the request: it is sent again so often. */
const maxRepeats = 2
const longestPauseMs = 1_500
/** Who the server says has changed an object: see metadata.managedFields. */
export const fieldManager = 'nameplane'

const metadataOnly = (kind: string): string => `application/json;as=${kind};g=meta.k8s.io;v=v1`

/** `signal` ends every call. */
export function createObjects(requests: Requests, signal: AbortSignal): KubernetesObjects {
  return new Objects(requests, signal)
}

class Objects implements KubernetesObjects {
  readonly #requests: Requests
  readonly #signal: AbortSignal

  constructor(requests: Requests, signal: AbortSignal) {
    this.#requests = requests
    this.#signal = signal
  }

  async find(path: string): Promise<unknown> {
    return await unlessMissing(this.#send({ path }))
  }

  async findMetadata(path: string): Promise<unknown> {
    return await unlessMissing(this.#send({ path, accept: metadataOnly('PartialObjectMetadata') }))
  }

  async create(collection: string, object: object): Promise<unknown> {
    return await this.#send({ method: 'POST', path: managed(collection), body: jsonBody(object) })
  }

  async patch(path: string, change: object): Promise<unknown> {
    return await this.#send({ method: 'PATCH', path: managed(path), body: jsonBody(change, 'merge-patch+json') })
  }

  async remove(path: string, preconditions: Preconditions = {}): Promise<boolean> {
    const options = { kind: 'DeleteOptions', apiVersion: 'v1', preconditions, gracePeriodSeconds: 0 }
    const answer = await unlessMissing(this.#send({ method: 'DELETE', path, body: jsonBody(options) }))
    return answer !== undefined
  }

  async listMetadata(collection: string, query: MetadataQuery): Promise<MetadataListing> {
    for (let restarts = 0; ; restarts++) {
      try {
        return await this.#listPages(collection, query)
      } catch (error) {
        const isForgotten = error instanceof KubernetesStatusError && error.status === 410
        if (!isForgotten || restarts === maxRestarts) throw error
      }
    }
  }

  async #listPages(collection: string, query: MetadataQuery): Promise<MetadataListing> {
    const items: unknown[] = []
    let continueAt: string | undefined
    for (;;) {
      const path = `${collection}?${listParameters(query, continueAt)}`
      const page = await this.#send({ path, accept: metadataOnly('PartialObjectMetadataList') })
      const more = isRecord(page) ? page.items : undefined
      // Go writes an empty list of some types as null.
      if (more !== null && !Array.isArray(more)) throw new WatchBrokenError(`${path}: a list without items`)
      items.push(...(more ?? []))
      const next = metadataOf(page).continue
      if (typeof next !== 'string' || next === '') return { version: decodeVersion(page), items }
      continueAt = next
    }
  }

  async #send(request: WireRequest): Promise<unknown> {
    const { clock } = this.#requests
    for (let repeats = 0; ; repeats++) {
      try {
        return await this.#sendOnce(request)
      } catch (error) {
        if (repeats === maxRepeats || !wasNotLookedAt(error)) throw error instanceof Error ? sayFailure(error) : error
        await pause(clock, error.retryAfterMs, this.#signal)
      }
    }
  }

  async #sendOnce(request: WireRequest): Promise<unknown> {
    return await this.#requests.ask({ ...request, signal: this.#signal, idleMs }, async answer =>
      parseJson(await readBody(answer, maxBytes, answer.alive)),
    )
  }
}

function wasNotLookedAt(error: unknown): error is RefusedError {
  if (!(error instanceof RefusedError)) return false
  return error.status === 401 || (error.status === 429 && error.retryAfterMs <= longestPauseMs)
}

async function unlessMissing(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof KubernetesStatusError && error.status === 404) return undefined
    throw error
  }
}

function jsonBody(value: object, type = 'json'): { readonly bytes: Buffer; readonly contentType: string } {
  return { bytes: Buffer.from(JSON.stringify(value)), contentType: `application/${type}` }
}

const managed = (path: string): string => `${path}?fieldManager=${fieldManager}`

/** A page that continues another is of the other's version. */
function listParameters(
  { labelSelector, notOlderThan, areFew }: MetadataQuery,
  continueAt: string | undefined,
): URLSearchParams {
  const parameters = new URLSearchParams({ labelSelector })
  if (areFew !== true) parameters.set('limit', String(pageObjects))
  if (continueAt !== undefined) parameters.set('continue', continueAt)
  else if (notOlderThan !== undefined) {
    parameters.set('resourceVersion', notOlderThan)
    parameters.set('resourceVersionMatch', 'NotOlderThan')
  }
  return parameters
}
