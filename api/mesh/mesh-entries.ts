// What a mesh stream sends: only what its peer must hear. This wire has no word for stale and a peer drops what it is told
// to, so that a state which says less than the last good one is kept back.
import { status } from '@grpc/grpc-js'
import type { NamespaceSnapshot } from '../../interpreters/interpreter.ts'
import type { BoundTree } from '../../naming/bound-tree.ts'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import type { State } from '../../watch/state.ts'
import { Entry } from '../push/entry.ts'
import type { Mailbox } from '../push/mailbox.ts'
import type { NamespaceProgress } from '../push/proxy-registry.ts'
import { takesAway } from '../push/removals.ts'
import type { DtabPress } from './dtab-press.ts'
import { type CallEnd, failureEnd, isLasting } from './mesh-errors.ts'
import { type MeshFrames, sendable } from './mesh-frames.ts'

/** The one resource of a mesh stream. Its newest state is the newest that the peer must hear. */
export abstract class MeshEntry<T> extends Entry<T> {
  override deliver(state: State<T>): void {
    if (!this.concerns(state) || isSame(state, this.state)) return
    this.state = state
    this.unsettle()
    this.mailbox.put(this)
  }

  override get hasNews(): boolean {
    return this.sent === undefined || !isSame(this.sent, this.state)
  }

  /** Whether the peer must hear of a state. */
  protected abstract concerns(state: State<T>): boolean

  /** The newest state in bytes, or the end of the stream. */
  abstract answer(frames: MeshFrames): Buffer | CallEnd

  /** It has news. */
  unsettle(): void {}

  /** The transport has taken all its news, or there is none yet. */
  settle(): void {}
}

function isSame(a: State<unknown>, b: State<unknown>): boolean {
  return a === b || (a.kind === 'ok' && b.kind === 'ok' && a.value === b.value)
}

/** The binding of a name. It is counted as a name of its proxy until `leave`. */
export class TreeEntry extends MeshEntry<BoundTree> {
  readonly #progress: NamespaceProgress
  #isUnsettled = false

  constructor(mailbox: Mailbox, progress: NamespaceProgress) {
    super(mailbox)
    this.#progress = progress
    progress.addNames(1)
    this.unsettle()
  }

  override get kind(): 'tree' {
    return 'tree'
  }

  override get isRemoval(): boolean {
    return false
  }

  /** Whoever has a tree keeps it through any failure; without one a failure that waiting cannot end is told. */
  protected override concerns(state: State<BoundTree>): boolean {
    return state.kind === 'ok' || (state.kind === 'failed' && this.state.kind !== 'ok' && isLasting(state.error))
  }

  override answer({ trees }: MeshFrames): Buffer | CallEnd {
    const { state } = this
    return state.kind === 'failed' ? failureEnd(state.error) : sendable(trees.of(state))
  }

  override unsettle(): void {
    if (this.#isUnsettled) return
    this.#isUnsettled = true
    this.#progress.addUnsettled(1)
  }

  override settle(): void {
    if (!this.#isUnsettled) return
    this.#isUnsettled = false
    this.#progress.addUnsettled(-1)
  }

  override close(): void {
    super.close()
    this.settle()
    this.#progress.addNames(-1)
  }
}

/** The endpoints of an id. */
export class ReplicasEntry extends MeshEntry<ReplicaSet> {
  readonly #failsByDesign: boolean

  /** failsByDesign: the id is one that always fails, and its failure is an answer. */
  constructor(mailbox: Mailbox, failsByDesign: boolean) {
    super(mailbox)
    this.#failsByDesign = failsByDesign
  }

  override get kind(): 'replicas' {
    return 'replicas'
  }

  override get isRemoval(): boolean {
    return takesAway(this.sent, this.state)
  }

  /** A peer that is told pending, or of a failure, drops its endpoints: it has them perhaps from another server. */
  protected override concerns(state: State<ReplicaSet>): boolean {
    return state.kind === 'ok' || (state.kind === 'failed' && (this.#failsByDesign || isLasting(state.error)))
  }

  override answer({ replicas }: MeshFrames): Buffer {
    return replicas.of(this.state)
  }
}

const rootNotFound: CallEnd = { code: status.NOT_FOUND, details: 'Root not found' }

/** The dtab of a namespace; its end when that does not exist. It is news once its bytes are there. */
export class DtabEntry extends MeshEntry<NamespaceSnapshot> {
  readonly #press: DtabPress
  #heard: NamespaceSnapshot | undefined
  #endPrinting = (): void => {}
  /** To the newest state; held until it is sent. */
  #answer: Buffer | CallEnd = rootNotFound

  constructor(mailbox: Mailbox, press: DtabPress) {
    super(mailbox)
    this.#press = press
  }

  override get kind(): 'tree' {
    return 'tree'
  }

  override get isRemoval(): boolean {
    return false
  }

  override deliver(state: State<NamespaceSnapshot>): void {
    if (state.kind !== 'ok' || state.value === this.#heard) return
    this.#heard = state.value
    this.#endPrinting()
    this.#endPrinting = dtabAnswer(this.#press, state.value, answer => {
      this.#answer = answer
      super.deliver(state)
    })
  }

  override close(): void {
    this.#endPrinting()
    super.close()
  }

  protected override concerns(): boolean {
    return true
  }

  override answer(): Buffer | CallEnd {
    const answer = this.#answer
    this.#answer = rootNotFound
    return answer
  }
}

/** Calls `then` once with the answer that a namespace is, none where it does not exist; what this gives ends the wait. */
export function dtabAnswer(
  press: DtabPress,
  snapshot: NamespaceSnapshot,
  then: (answer: Buffer | CallEnd) => void,
): () => void {
  if (snapshot.exists) return press.print(snapshot, frame => then(sendable(frame)))
  then(rootNotFound)
  return () => {}
}
