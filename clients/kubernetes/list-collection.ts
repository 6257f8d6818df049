// Lists a collection page by page. Of each page only what `strip` keeps stays. Knows nothing of watches.
import { nextTurn } from '../../watch/pause.ts'
import { isRecord, readBody } from './answer.ts'
import type { Collection } from './cluster.ts'
import { checkRoom, type Listed, type Listing, stripAtDoor } from './held-objects.ts'
import type { Requests } from './requests.ts'
import { decodeRawObject, decodeVersion, metadataOf, parseJson, WatchBrokenError } from './watch-event.ts'

/** A page is decoded in one turn: it should have about so many bytes. */
const wantedPageBytes = 1 << 20
const firstPageObjects = 50
const mostPageObjects = 500
const maxPageBytes = 256 << 20
/** A page may be silent for so long. */
const idleMs = 30_000

/** How many objects to ask for at once; learnt from the pages that came. */
export interface PageSize {
  objects: number
}

export function createPageSize(): PageSize {
  return { objects: firstPageObjects }
}

export interface ListRequest<T> {
  readonly requests: Requests
  readonly collection: Collection<T>
  readonly pageSize: PageSize
  readonly signal: AbortSignal
  readonly onRequest: () => void
}

/**
 * All objects as of one version. Rejects with RefusedError, status 410, when the server has forgotten that version
 * before the last page; with WatchBrokenError for a malformed page; with an Error for too many objects.
 */
export async function listCollection<T>(request: ListRequest<T>): Promise<Listing<T>> {
  const { requests, collection, pageSize } = request
  const objects = new Map<string, Listed<T>>()
  let receivedAt: number | undefined
  let continueAt: string | undefined
  for (;;) {
    const page = await readPage(request, pagePath(collection, pageSize, continueAt))
    receivedAt ??= page.receivedAt
    takeItems(collection, page.items, objects)
    if (page.continueAt === undefined) return { version: page.version, objects, receivedAt }
    continueAt = page.continueAt
    await nextTurn(requests.clock)
  }
}

interface Page {
  readonly items: readonly unknown[]
  readonly version: string
  readonly continueAt: string | undefined
  readonly receivedAt: number
}

async function readPage<T>({ requests, pageSize, signal, onRequest }: ListRequest<T>, path: string): Promise<Page> {
  const { clock } = requests
  onRequest()
  return await requests.ask({ path, signal, idleMs }, async answer => {
    let receivedAt: number | undefined
    const body = await readBody(answer, maxPageBytes, () => {
      receivedAt ??= clock.monotonic()
      answer.alive()
    })
    const list = parseJson(body)
    const items = isRecord(list) ? list.items : undefined
    // Go writes an empty list of some types as null.
    if (items !== null && !Array.isArray(items)) throw new WatchBrokenError(`${path}: a list without items`)
    if (items !== null && items.length > 0) pageSize.objects = fittingPage(body.length / items.length)
    const { continue: continueAt } = metadataOf(list)
    return {
      items: items ?? [],
      version: decodeVersion(list),
      continueAt: typeof continueAt === 'string' && continueAt !== '' ? continueAt : undefined,
      receivedAt: receivedAt ?? clock.monotonic(),
    }
  })
}

function takeItems<T>(collection: Collection<T>, items: readonly unknown[], objects: Map<string, Listed<T>>): void {
  for (const item of items) {
    const raw = decodeRawObject(item)
    const object = stripAtDoor(collection, raw)
    if (object === undefined) continue
    objects.set(raw.key, { version: raw.version, object })
    checkRoom(collection, objects.size)
  }
}

function fittingPage(bytesPerObject: number): number {
  return Math.max(1, Math.min(mostPageObjects, Math.floor(wantedPageBytes / bytesPerObject)))
}

function pagePath(collection: Collection<unknown>, { objects }: PageSize, continueAt: string | undefined): string {
  const parameters = selectors(collection)
  parameters.set('limit', String(objects))
  if (continueAt !== undefined) parameters.set('continue', continueAt)
  return `${collection.path}?${parameters}`
}

/** The parameters that lists and watches of a collection share. */
export function selectors({ labelSelector, fieldSelector }: Collection<unknown>): URLSearchParams {
  const parameters = new URLSearchParams()
  if (labelSelector !== undefined) parameters.set('labelSelector', labelSelector)
  if (fieldSelector !== undefined) parameters.set('fieldSelector', fieldSelector)
  return parameters
}
