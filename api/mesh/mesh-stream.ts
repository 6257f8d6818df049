// One mesh response stream, which follows one cell: the newest of its states out, one after the other. Knows no method.
import type { ServerWritableStream } from '@grpc/grpc-js'
import type { NamingError } from '../../naming/errors.ts'
import type { Cell } from '../../watch/cell.ts'
import type { Ticket } from '../push/admission.ts'
import type { Mailbox } from '../push/mailbox.ts'
import { type PushProtocol, PushStream } from '../push/push-stream.ts'
import type { MeshConnection } from './mesh-connections.ts'
import type { MeshContext } from './mesh-context.ts'
import type { MeshEntry } from './mesh-entries.ts'
import { type CallEnd, refusalEnd } from './mesh-errors.ts'

export type MeshCall = ServerWritableStream<Buffer, Buffer>

/** What a stream follows. */
export interface MeshPlan<T> {
  /** The namespace that the stream counts for; absent for endpoints. */
  readonly namespace?: string
  readonly entry: (mailbox: Mailbox, connection: MeshConnection) => MeshEntry<T>
  /** Asked when the stream's turn comes. */
  readonly cell: () => Cell<T>
}

export class MeshStream<T> implements PushProtocol {
  readonly #context: MeshContext
  readonly #stream: PushStream
  readonly #mailbox: Mailbox
  readonly #namespace: string | undefined
  /** Once its limits allow the stream, until it is over. */
  #connection: MeshConnection | undefined
  #entry: MeshEntry<T> | undefined
  /** Until the first state is sent, or none is known yet. */
  #ticket: Ticket | undefined
  #isFollowing = false

  /** Takes the call over: it is served until it ends. */
  constructor(call: MeshCall, plan: MeshPlan<T>, context: MeshContext) {
    this.#context = context
    this.#namespace = plan.namespace
    this.#mailbox = context.push.mailbox(() => this.#stream.wake())
    this.#stream = new PushStream(call, this, context.push)
    const { transport } = this.#stream
    if (transport !== undefined) this.#begin(context.connections.of(transport.session), plan)
  }

  work(): boolean {
    if (this.#isFollowing && this.#stream.unsentBytes === 0 && this.#mailbox.size === 0) this.#settle()
    return false
  }

  nextMessage(): Buffer | undefined {
    const entry = this.#mailbox.next() === undefined ? undefined : this.#entry
    if (entry === undefined) return undefined
    if (!entry.hasNews) {
      this.#settle()
      return undefined
    }
    const answer = entry.answer(this.#context.frames)
    if (!Buffer.isBuffer(answer)) {
      this.#stream.end(answer.code, answer.details)
      return undefined
    }
    entry.noteSent(this.#context.push.queue.now)
    this.#context.push.counters.updates.inc()
    return answer
  }

  release(): boolean {
    this.#entry?.close()
    this.#entry = undefined
    this.#ticket?.leave()
    this.#ticket = undefined
    if (this.#connection !== undefined) {
      this.#connection.proxy.addStreams(-1)
      this.#context.connections.give(this.#connection, this.#namespace)
      this.#connection = undefined
    }
    return false
  }

  #begin(connection: MeshConnection, { entry: createEntry, cell }: MeshPlan<T>): void {
    const taken = this.#context.connections.take(connection, this.#namespace)
    if (!taken.ok) {
      const { code, details } = refusalEnd(taken.error)
      this.#stream.end(code, details)
      return
    }
    connection.proxy.addStreams(1)
    this.#connection = connection
    const entry = createEntry(this.#mailbox, connection)
    this.#entry = entry
    this.#ticket = this.#context.push.admission.enter(1, () => {
      this.#isFollowing = true
      entry.open(cell())
      this.#stream.wake()
    })
  }

  /** All there is has been taken: the next newcomer may come. */
  #settle(): void {
    this.#ticket?.leave()
    this.#ticket = undefined
    this.#entry?.settle()
  }
}

/** Refuses a stream before it is one. */
export function refuseStream(call: MeshCall, error: NamingError): void {
  endCall(call, refusalEnd(error))
}

/** Ends a call that nothing was sent on. */
export function endCall(call: MeshCall, { code, details }: CallEnd): void {
  call.emit('error', Object.assign(new Error(details), { code, details }))
}
