// A naming server whose every message a test writes itself, so that any order of messages can be tried on the client.
import { Metadata, Server, ServerCredentials, type ServerDuplexStream, status } from '@grpc/grpc-js'
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
import { type RequestPart, WatchRequestReader, type WireResource } from '../../../proto/watch-requests.ts'
import { ok, type Stale } from '../../../watch/state.ts'
import { path } from '../../fakes/interpreter.fake.ts'

export interface ScriptedServer {
  readonly address: string
  /** What clients have asked for, oldest first: `+1`, `-1` for names by key, `+/#/fs/a`, `-/#/fs/a` for replica sets. */
  readonly asked: readonly string[]
  /** The confirmations that clients have sent, oldest first. */
  readonly acks: readonly Extract<RequestPart, { kind: 'ack' }>[]
  /** What clients have said that they hold, `whole` at the end of each answer: `1 ok`, `/#/fs/a none`, and what they refused. */
  readonly held: readonly string[]
  readonly refused: readonly string[]
  /** Sends one message on the newest stream. */
  say(...updates: readonly ScriptedUpdate[]): void
  /** The same with a number. */
  sayNumbered(sequence: number, ...updates: readonly ScriptedUpdate[]): void
  /** Ends the newest stream; `pushbackMs`: asks the client not to come again for so long. */
  end(pushbackMs?: number): void
  /** How many streams have been opened. */
  streams(): number
  /** How many of them have not ended. */
  open(): number
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

/** The content that was sent stands. */
export function sameTree(key: number, value: BoundTree): ScriptedUpdate {
  return builder => builder.add(key, hashFieldOf(encodeTreeContent(ok(value))), undefined)
}

export function sameReplicas(id: string, value: ReplicaSet): ScriptedUpdate {
  return builder => builder.add(encodeIdField(path(id)), hashFieldOf(encodeReplicaContent(ok(value))), undefined)
}

/** A tree of a kind that no client knows. */
export function unknownTree(key: number): ScriptedUpdate {
  return builder => builder.add(key, Uint8Array.of(0x1a, 1, 0x78, 0x22, 2, 0x7a, 0), undefined)
}

/** The content that was sent stands, but is not confirmed by its backend. */
export function staleReplicas(id: string, value: ReplicaSet, stale: Stale): ScriptedUpdate {
  const same: Content = hashFieldOf(encodeReplicaContent(ok(value)))
  return builder => builder.add(encodeIdField(path(id)), same, encodeStale(stale))
}

export async function startScriptedServer(): Promise<ScriptedServer> {
  const asked: string[] = []
  const acks: Extract<RequestPart, { kind: 'ack' }>[] = []
  const held: string[] = []
  const refused: string[] = []
  const take = (part: RequestPart): void => {
    if (part.kind === 'ack') acks.push(part)
    else if (part.kind === 'held') held.push(`${resourceText(part.resource)} ${part.hash === '' ? 'none' : 'ok'}`)
    else if (part.kind === 'held-is-whole') held.push('whole')
    else if (part.kind === 'refused') refused.push(`${resourceText(part.resource)} ${part.reason}`)
    else asked.push(...textsOf(part))
  }
  const builder = new ResponseBuilder()
  const streams: ServerDuplexStream<Buffer, Buffer>[] = []
  const open = new Set<object>()
  const server = new Server()
  server.addService(
    { Watch: namingService.Watch },
    {
      Watch: (stream: ServerDuplexStream<Buffer, Buffer>) => {
        streams.push(stream)
        open.add(stream)
        stream.on('close', () => open.delete(stream))
        stream.on('cancelled', () => open.delete(stream))
        stream.on('data', (bytes: Buffer) => eachPart(bytes, take))
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
    acks,
    held,
    refused,
    sayNumbered: (sequence, ...updates) => {
      for (const add of updates) add(builder)
      streams.at(-1)?.write(builder.take(sequence))
    },
    say: (...updates) => {
      for (const add of updates) add(builder)
      streams.at(-1)?.write(builder.take())
    },
    end: pushbackMs => {
      const metadata = new Metadata()
      if (pushbackMs !== undefined) metadata.set('grpc-retry-pushback-ms', String(pushbackMs))
      const details = 'go away'
      streams.at(-1)?.emit('error', Object.assign(new Error(details), { code: status.UNAVAILABLE, details, metadata }))
    },
    streams: () => streams.length,
    open: () => open.size,
    close: () => server.forceShutdown(),
  }
}

function eachPart(bytes: Buffer, take: (part: RequestPart) => void): void {
  const reader = new WatchRequestReader(bytes)
  for (let part = reader.next(); part !== undefined; part = reader.next()) take(part)
}

function textsOf(part: RequestPart): readonly string[] {
  if (part.kind === 'subscribe') return [`+${part.key}`]
  if (part.kind === 'unsubscribe') return part.keys.map(key => `-${key}`)
  if (part.kind === 'subscribe-replicas') return [`+${showPath(part.id)}`]
  return part.kind === 'unsubscribe-replicas' ? [`-${showPath(part.id)}`] : []
}

function resourceText(resource: WireResource): string {
  return typeof resource === 'number' ? `${resource}` : showPath(resource)
}
