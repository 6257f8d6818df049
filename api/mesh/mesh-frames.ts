// The answers of mesh calls in bytes, each made once for all who are sent it at about the same time. Knows no call.
import { status } from '@grpc/grpc-js'
import type { DelegateTree } from '../../interpreters/interpreter.ts'
import type { BoundTree } from '../../naming/bound-tree.ts'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import { encodeBoundTreeRsp, encodeDelegateTreeRsp } from '../../proto/mesh-messages.ts'
import { encodeReplicas } from '../../proto/mesh-replicas.ts'
import type { State } from '../../watch/state.ts'
import { RecentFrames } from '../frames.ts'
import type { CallEnd } from './mesh-errors.ts'

/** What stands for an answer that is nested too deep for the wire; no true one is empty. */
export const unsendable = Buffer.alloc(0)

/** What is said then. */
export const tooDeepToSend = 'The answer is nested too deep to be sent.'

/** Of all but dtabs. Only ok states have frames, but for those of replica sets. An empty frame cannot be sent. */
export class MeshFrames {
  readonly trees = new RecentFrames<BoundTree, Buffer>(state => encoded(state, encodeBoundTreeRsp))
  readonly replicas = new RecentFrames<ReplicaSet, Buffer>(encodeReplicas)
  readonly explanations = new RecentFrames<DelegateTree, Buffer>(state => encoded(state, encodeDelegateTreeRsp))
}

/** The frame, or the end of a call whose answer cannot be sent. */
export function sendable(frame: Buffer): Buffer | CallEnd {
  return frame.length > 0 ? frame : { code: status.INTERNAL, details: tooDeepToSend }
}

/** Throws for a state that is not ok. */
function encoded<T>(state: State<T>, encode: (value: T) => Buffer): Buffer {
  if (state.kind !== 'ok') throw new Error(`a ${state.kind} state has no frame`)
  try {
    return encode(state.value)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return unsendable
  }
}
