// nameplane.v1.Servers as a service: a session for each server that follows this one.
import { status } from '@grpc/grpc-js'
import { serversProtoFile, serversService, serversServiceName } from '../../proto/servers-service.ts'
import { version } from '../../runtime/version.ts'
import type { GrpcPorts } from './grpc-ports.ts'
import type { GrpcService } from './grpc-service.ts'
import { type FollowStream, ServersSession } from './servers-session.ts'

/** Servers that may follow this one; far more than a store has. */
const maxFollowers = 256

export interface ServersCalls extends GrpcService {
  /** Servers that follow this one. */
  readonly followers: number
}

export function createServersCalls({ servers, clock, log }: GrpcPorts): ServersCalls {
  const followers = new Set<ServersSession>()
  const follow = (stream: FollowStream): void => {
    const { selfId, told } = servers
    const session = new ServersSession(stream, { selfId, version, told, streams: () => servers.streams(), clock, log })
    followers.add(session)
    stream.on('close', () => followers.delete(session))
    if (followers.size > maxFollowers)
      session.end(status.RESOURCE_EXHAUSTED, `This server is followed by ${maxFollowers} others already.`)
  }
  return {
    name: serversServiceName,
    definition: serversService,
    protoFile: serversProtoFile,
    handlers: { Follow: follow },
    get followers() {
      return followers.size
    },
    end: (code, details) => {
      for (const session of followers) session.end(code, details)
    },
  }
}
