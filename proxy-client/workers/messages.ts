// What a proxy's first process and its workers tell each other. Both ends are this program, so nothing is checked.
import type { AdminSource } from '../admin/admin-source.ts'
import type { ProxyConfig } from '../config.ts'
import type { RouterAddresses } from '../open-routers.ts'
import type { TelemetrySnapshot } from '../telemetry/snapshot.ts'

/** What the admin pages ask of a worker. */
export type Question = keyof AdminSource
export type AnswerTo<Q extends Question> = Awaited<ReturnType<AdminSource[Q]>>

/** Sent once: the configuration as it was read and checked. */
export interface StartMessage {
  readonly kind: 'start'
  readonly worker: number
  readonly config: ProxyConfig
}

export type ToWorker = StartMessage | { readonly kind: 'ask'; readonly id: number; readonly question: Question }

export type FromWorker =
  /** It has loaded, and waits for its configuration. */
  | { readonly kind: 'loaded' }
  | { readonly kind: 'started'; readonly routers: RouterAddresses }
  /** It could not start, and ends. */
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  /** What it has counted when it ends. */
  | { readonly kind: 'ended'; readonly telemetry: TelemetrySnapshot }
