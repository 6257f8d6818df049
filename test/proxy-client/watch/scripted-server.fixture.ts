// A naming server whose every message a test writes itself, so that any order of messages can be tried on the client.
import { Metadata, Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js'
import { ResponseBuilder } from '../../../api/grpc/response-builder.ts'
import type { BoundTree } from '../../../naming/bound-tree.ts'
import { showPath } from '../../../naming/path.ts'
import type { ReplicaSet } from '../../../naming/replica-set.ts'
import { namingService } from '../../../proto/naming-service.ts'
import {
  type Content,
  encodeIdField,
  encodeReplicaContent,
  encodeStale,
  encodeTreeContent,
  hashFieldOf,
} from '../../../proto/updates.ts'
import { WatchRequestReader } from '../../../proto/watch-requests.ts'
import { ok, type Stale } from '../../../watch/state.ts'
import { path } from '../../fakes/interpreter.fake.ts'

export interface ScriptedServer {
  readonly address: string
  /** What clients have asked for, oldest first: `+1`, `-1` for names by key, `+/#/fs/a`, `-/#/fs/a` for replica sets. */
  readonly asked: readonly string[]
  /** Sends one message on the newest stream. */
  say(...updates: readonly ScriptedUpdate[]): void
  /** Ends the newest stream. */
  end(): void
  /** How many streams have been opened. */
  streams(): number
  close(): void
}

/** Appends itself to a message. */
export type ScriptedUpdate = (builder: ResponseBuilder) => void

/** The tree of the name with this key. */
export function tree(key: number, value: BoundTree): ScriptedUpdate {
  return builder => builder.add(key, encodeTreeContent(ok(value)), undefined)
}

export function replicas(id: string, value: ReplicaSet): ScriptedUpdate {
  return builder => builder.add(encodeIdField(path(id)), encodeReplicaContent(ok(value)), undefined)
}

/** The content that was sent stands, but is not confirmed by its backend. */
export function staleReplicas(id: string, value: ReplicaSet, stale: Stale): ScriptedUpdate {
  const same: Content = hashFieldOf(encodeReplicaContent(ok(value)))
  return builder => builder.add(encodeIdField(path(id)), same, encodeStale(stale))
}

export async function startScriptedServer(): Promise<ScriptedServer> {
  const asked: string[] = []
  const builder = new ResponseBuilder()
  const streams: ServerDuplexStream<Buffer, Buffer>[] = []
  const server = new Server()
  server.addService(
    { Watch: namingService.Watch },
    {
      Watch: (stream: ServerDuplexStream<Buffer, Buffer>) => {
        streams.push(stream)
        stream.on('data', (bytes: Buffer) => asked.push(...partsOf(bytes)))
        stream.on('error', () => {})
        stream.sendMetadata(new Metadata())
      },
    },
  )
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  )
  return {
    address: `127.0.0.1:${port}`,
    asked,
    say: (...updates) => {
      for (const add of updates) add(builder)
      streams.at(-1)?.write(builder.take())
    },
    end: () => void streams.at(-1)?.end(),
    streams: () => streams.length,
    close: () => server.forceShutdown(),
  }
}

function partsOf(bytes: Buffer): readonly string[] {
  const reader = new WatchRequestReader(bytes)
  const parts: string[] = []
  for (let part = reader.next(); part !== undefined; part = reader.next()) {
    if (part.kind === 'subscribe') parts.push(`+${part.key}`)
    else if (part.kind === 'unsubscribe') parts.push(...part.keys.map(key => `-${key}`))
    else if (part.kind === 'subscribe-replicas') parts.push(`+${showPath(part.id)}`)
    else if (part.kind === 'unsubscribe-replicas') parts.push(`-${showPath(part.id)}`)
  }
  return parts
}
