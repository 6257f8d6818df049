// One answer from a cell of frames: at once when it is known, else after a short grace, as pending if need be.
import type { FastifyReply } from 'fastify'
import { NamingError } from '../../naming/errors.ts'
import type { Cell } from '../../watch/cell.ts'
import type { State } from '../../watch/state.ts'
import type { HttpContext } from './context.ts'
import type { Frame } from './frame.ts'
import { sendJson } from './send-json.ts'
import { settled } from './settled.ts'

export interface KeyedCell {
  /** Names the cell among those that are kept warm. */
  readonly key: string
  readonly make: () => Cell<Frame>
  /** The namespace's version now, which may be newer than the frame. */
  readonly presentVersion?: () => number
}

const isKnown = (state: State<Frame>): boolean => state.kind === 'ok' && !state.value.isPending

/** Throws the error that keeps the answer from being known. */
export function answerFrame(
  context: HttpContext,
  reply: FastifyReply,
  { key, make, presentVersion }: KeyedCell,
): FastifyReply | Promise<FastifyReply> {
  const cell = context.warm.keep(key, make)
  const state = cell.peek()
  if (isKnown(state)) return sendFrame(reply, state, presentVersion)
  return answerCell(context, reply, cell, presentVersion)
}

/**
 * From a cell that is dear to keep up to date: it is looked at, not kept warm; what it is made from should be. A pending answer
 * is of no use: it is waited for so long, and then the store is to blame.
 */
export function answerStored(
  context: HttpContext,
  reply: FastifyReply,
  cell: Cell<Frame>,
  limitMs: number,
): FastifyReply | Promise<FastifyReply> {
  const state = cell.peek()
  return isKnown(state) ? sendFrame(reply, state) : answerOnceStored(context, reply, cell, limitMs)
}

async function answerOnceStored(
  { ports }: HttpContext,
  reply: FastifyReply,
  cell: Cell<Frame>,
  limitMs: number,
): Promise<FastifyReply> {
  const state = await settled(cell, isKnown, { clock: ports.clock, limitMs, signal: ports.shutdown })
  if (isKnown(state)) return sendFrame(reply, state)
  throw new NamingError('store-unavailable', `The store has not answered within ${limitMs} ms.`)
}

/** As answerFrame, for a cell that is of this request alone. */
export async function answerCell(
  { ports, options }: HttpContext,
  reply: FastifyReply,
  cell: Cell<Frame>,
  presentVersion?: () => number,
): Promise<FastifyReply> {
  const limits = { clock: ports.clock, limitMs: options.pendingGraceMs, signal: ports.shutdown }
  return sendFrame(reply, await settled(cell, isKnown, limits), presentVersion)
}

/** Frames are always ok: what is pending or failed stands inside. */
export function sendFrame(reply: FastifyReply, state: State<Frame>, presentVersion?: () => number): FastifyReply {
  if (state.kind === 'failed') throw state.error
  if (state.kind === 'pending') throw new Error('a frame is never pending itself')
  const frame = state.value
  if (frame.error !== undefined) throw frame.error
  return sendJson(reply, frame.document(presentVersion?.()))
}
