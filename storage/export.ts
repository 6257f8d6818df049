// Every version of some namespaces in the order of an export, read from any store. Holds few texts at a time, whatever there is.
import type { NamespaceSummary, Store, Version } from './store.ts'

const pageSize = 100
/** Reads under way at a time, as long as their texts are not larger together than this. */
const maxReads = 8
const maxReadBytes = 4 * 1024 * 1024

export interface ExportOptions {
  readonly store: Store
  /** Sorted by name. */
  readonly namespaces: readonly NamespaceSummary[]
  /** False: heads alone, and nothing of deleted namespaces. */
  readonly hasHistory: boolean
}

/**
 * Namespace by namespace, each oldest first, as they are when their turn comes. What is dropped meanwhile is left out; should
 * that be the newest, those that came after it are added, so that the last one was the head when it was read or later.
 */
export async function* exportVersions({ store, namespaces, hasHistory }: ExportOptions): AsyncGenerator<Version> {
  if (!hasHistory) {
    const present = namespaces.filter(({ deleted }) => !deleted)
    for await (const head of readAhead(present, ({ namespace }) => store.head(namespace))) {
      if (head?.text !== undefined) yield head
    }
    return
  }
  for (const { namespace } of namespaces) yield* historyOf(store, namespace)
}

async function* historyOf(store: Store, namespace: string): AsyncGenerator<Version> {
  for (let above = 0, isWhole = false; !isWhole; ) {
    const known = await knownVersions(store, namespace, above)
    isWhole = true
    for await (const version of readAhead(known, ({ version }) => store.version(namespace, version))) {
      isWhole = version !== undefined
      if (version !== undefined) yield version
    }
    above = known.at(-1)?.version ?? above
  }
}

interface Known {
  readonly version: number
  readonly bytes: number
}

/** Oldest first, two numbers for each. */
async function knownVersions(store: Store, namespace: string, above: number): Promise<readonly Known[]> {
  const known: Known[] = []
  for (let before: number | undefined; ; ) {
    const page = await store.history(namespace, { limit: pageSize, ...(before !== undefined && { before }) })
    for (const { version, bytes } of page) if (version > above) known.push({ version, bytes })
    before = page.at(-1)?.version ?? 0
    if (page.length < pageSize || before <= above) return known.reverse()
  }
}

type Outcome<R> = { readonly bytes: number } & ({ readonly value: R } | { readonly error: unknown })

/** The results in the order of the items, some of them read while earlier ones are used. */
async function* readAhead<T extends { readonly bytes: number }, R>(
  items: readonly T[],
  read: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const reads: Promise<Outcome<R>>[] = []
  let next = 0
  let bytes = 0
  const isRoomFor = (item: T): boolean =>
    reads.length === 0 || (reads.length < maxReads && bytes + item.bytes <= maxReadBytes)
  for (;;) {
    for (let item = items[next]; item !== undefined && isRoomFor(item); item = items[++next]) {
      bytes += item.bytes
      reads.push(outcomeOf(item.bytes, read(item)))
    }
    const outcome = await reads.shift()
    if (outcome === undefined) return
    if ('error' in outcome) throw outcome.error
    yield outcome.value
    bytes -= outcome.bytes
  }
}

/** Never rejects, for whoever waits for it may have gone. */
async function outcomeOf<R>(bytes: number, reading: Promise<R>): Promise<Outcome<R>> {
  try {
    return { bytes, value: await reading }
  } catch (error) {
    return { bytes, error }
  }
}
