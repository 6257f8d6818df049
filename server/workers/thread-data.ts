// What a thread is given when it starts, and what it tells of itself. All of it can be cloned.
import type { MessagePort } from 'node:worker_threads'
import type { GrpcApi, GrpcApiOptions } from '../../api/grpc/grpc-api.ts'
import type { DtabVersion } from '../../api/servers.ts'

export interface ThreadData {
  /** From 1. */
  readonly thread: number
  /** The other end of its mirror. */
  readonly mirror: MessagePort
  /** This server's id. */
  readonly server: string
  readonly options: GrpcApiOptions
}

/** What the main thread shows of a thread without asking it. */
export interface ThreadFacts {
  readonly counts: ReturnType<GrpcApi['counts']>
  readonly streams: ReturnType<GrpcApi['streams']>
  readonly connections: ReturnType<GrpcApi['connections']>
  readonly followers: number
}

/** What it is told in return. */
export interface ServerFacts {
  /** Streams of all threads; undefined while no client may come. */
  readonly streams: number | undefined
  /** Versions that another server has gone by for seconds, of namespaces in which this one is behind. */
  readonly ahead: readonly DtabVersion[]
}

/** A line of the log. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly facts: object
  readonly message: string
}
