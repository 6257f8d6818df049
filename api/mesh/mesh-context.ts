// What all mesh calls of a thread share. Knows no call.
import { NamingError } from '../../naming/errors.ts'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import type { Cell } from '../../watch/cell.ts'
import { failed } from '../../watch/state.ts'
import type { GrpcPorts } from '../grpc/grpc-ports.ts'
import type { PushContext } from '../push/push-context.ts'
import { DtabPress } from './dtab-press.ts'
import { ExplanationDesk } from './explanation-desk.ts'
import { MeshConnections } from './mesh-connections.ts'
import { MeshFrames } from './mesh-frames.ts'

export class MeshContext {
  readonly ports: GrpcPorts
  readonly push: PushContext
  readonly frames = new MeshFrames()
  readonly dtabs: DtabPress
  readonly connections: MeshConnections
  readonly explanations: ExplanationDesk
  /** What a request for replicas without an id is answered with. */
  readonly noId: Cell<ReplicaSet>
  /** Unary calls that wait: each is called when the server stops. */
  readonly waiting = new Set<() => void>()

  constructor(ports: GrpcPorts, push: PushContext) {
    this.ports = ports
    this.push = push
    this.connections = new MeshConnections(ports, push)
    this.dtabs = new DtabPress(push.queue)
    this.explanations = new ExplanationDesk(push.queue)
    this.noId = ports.kernel.derive('mesh replicas of no id', () =>
      failed(new NamingError('bad-request', 'No ID provided')),
    )
  }

  /** Ends what waits. */
  stop(): void {
    for (const end of [...this.waiting]) end()
  }
}
