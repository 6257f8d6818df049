// Dtabs and the list of namespaces as frames, derived from the store's cells. Knows no request and no response.
import { contentHash } from '../../naming/content-hash.ts'
import { NamingError } from '../../naming/errors.ts'
import type { Result } from '../../naming/result.ts'
import type { RefusedText, Store, Version } from '../../storage/store.ts'
import { type Cell, type Kernel, type Pool, relayGroup, type Sink } from '../../watch/cell.ts'
import { ok, type Stale, type State } from '../../watch/state.ts'
import type { Codec, Coded } from './codec.ts'
import { Frame, failedFrame, pendingFrame, sameFrame } from './frame.ts'
import { ListPrinter } from './list-printer.ts'
import { refusedIn, refusedMember } from './refused-text.ts'
import { timeText } from './time-text.ts'

export interface DtabFrames {
  /** One namespace's dtab: a frame per version. */
  dtab(namespace: string): Cell<Frame>
  /** Every namespace, deleted ones only when asked for. One look at it after the other costs a print only after a change. */
  list(withDeleted: boolean): Cell<Frame>
}

export interface DtabFramePorts {
  readonly store: Store
  readonly kernel: Kernel
  readonly codec: Codec
}

/** Nothing to release: cells close when nobody watches them. */
export function createDtabFrames(ports: DtabFramePorts): DtabFrames {
  const { store, kernel } = ports
  const printed = kernel.pool<string, Frame>(
    namespace =>
      kernel.source(`http dtab ${namespace}`, sink => openDtab(namespace, sink, ports), {
        equals: sameFrame,
        group: relayGroup,
      }),
    namespace => namespace,
  )
  const dtabs: Pool<string, Frame> = kernel.pool(
    namespace =>
      kernel.derive(
        `http dtab ${namespace} with what is refused`,
        read => {
          const frame = read(printed.at(namespace))
          const refused = refusedIn(read(store.refusals(), changesOf(namespace)), namespace)
          return frame.kind === 'ok' && refused !== undefined
            ? { ...frame, value: withRefused(frame.value, refused) }
            : frame
        },
        { equals: sameFrame },
      ),
    namespace => namespace,
  )
  const { maxDtabBytes: maxBytes } = store
  /** They outlive the cells, which go when nobody watches them. */
  const printers = {
    all: new ListPrinter({ withDeleted: true, maxBytes }),
    present: new ListPrinter({ withDeleted: false, maxBytes }),
  }
  const lists: Pool<boolean, Frame> = kernel.pool(
    withDeleted =>
      kernel.derive(
        `http namespaces ${withDeleted}`,
        read => ok((withDeleted ? printers.all : printers.present).frame(read(store.list()), read(store.refusals()))),
        { equals: sameFrame },
      ),
    String,
  )
  return { dtab: namespace => dtabs.at(namespace), list: withDeleted => lists.at(withDeleted) }
}

/** Prints each version as it comes; a newer one makes an unfinished print pointless. */
function openDtab(namespace: string, sink: Sink<Frame>, { store, codec }: DtabFramePorts): () => void {
  let newest = 0
  const finish = (version: Version, stale: Stale | undefined, coded: Result<Coded>): void =>
    sink.set(versionFrame(version, coded, store.maxDtabBytes, stale))
  const unwatch = store.observe(namespace).watch(state => {
    const turn = ++newest
    const frame = headFrame(namespace, state)
    if (frame !== undefined || state.kind !== 'ok' || state.value?.text === undefined) {
      if (frame !== undefined) sink.set(frame)
      return
    }
    const { value: version, stale } = state
    const now = codec.printNow(state.value.text, 'json')
    if (now !== undefined) {
      finish(version, stale, now)
      return
    }
    const print = async (): Promise<void> => {
      const coded = await codec.print(version.text ?? '', 'json')
      if (turn === newest) finish(version, stale, coded)
    }
    print().catch(error => sink.set(failedFrame({ namespace }, NamingError.from(error), version.version)))
  })
  return () => {
    newest++
    unwatch()
  }
}

/** The frame of a state that has no text; undefined when it has one. */
function headFrame(namespace: string, state: State<Version | undefined>): Frame | undefined {
  if (state.kind === 'pending') return pendingFrame({ namespace }, state.waitingFor ?? 'the store', 0)
  if (state.kind === 'failed') return failedFrame({ namespace }, NamingError.from(state.error), 0)
  if (state.value?.text !== undefined) return undefined
  return new Frame({
    type: 'deleted',
    about: { namespace },
    dtabVersion: state.value?.version ?? 0,
    hash: contentHash('no namespace'),
    content: {},
    mark: String(state.value?.version ?? 0),
    stale: state.stale,
  })
}

function versionFrame(head: Version, coded: Result<Coded>, maxBytes: number, stale: Stale | undefined): Frame {
  const { namespace, version } = head
  if (!coded.ok) return failedFrame({ namespace }, coded.error, version)
  return new Frame({
    about: { namespace },
    dtabVersion: version,
    hash: coded.value.hash,
    content: versionJson(head, maxBytes),
    rawContent: `"dtab":${coded.value.text}`,
    mark: String(version),
    stale,
  })
}

/** Who wrote a version, from where, when and why. */
export function metaJson({ version, meta }: Pick<Version, 'version' | 'meta'>): object {
  const { author, verified, message, time, parent, address } = meta
  const known = { version, author, verified, message, time: timeText(time), parent }
  return address === undefined ? known : { ...known, address }
}

/** A version without its dtab. */
export function versionJson(version: Version, maxBytes: number): object {
  return { ...metaJson(version), bytes: Buffer.byteLength(version.text ?? ''), maxBytes }
}

const withRefused = (frame: Frame, refused: RefusedText): Frame =>
  frame.with(refusedMember(refused), JSON.stringify(refused))

/** Whether one listing of what is refused says something else of the namespace than another. */
function changesOf(namespace: string) {
  return (before: readonly RefusedText[], after: readonly RefusedText[]): boolean => {
    const [old, present] = [before, after].map(value => refusedIn(ok(value), namespace))
    return old?.since !== present?.since || old?.reason !== present?.reason
  }
}
