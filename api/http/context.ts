// What every route of this API works with: the ports, and what the routes share.
import type { ApiPorts } from '../ports.ts'
import { WarmCells } from '../warm-cells.ts'
import { type Codec, createCodec } from './codec.ts'
import { createDtabFrames, type DtabFrames } from './dtab-frames.ts'
import { createErrorLog, type ErrorLog } from './error-log.ts'
import { createEvaluationFrames, type EvaluationFrames } from './evaluation-frames.ts'
import { OpenStreams } from './open-streams.ts'
import { RefusalLookup } from './refused-text.ts'
import { createRequestLimit, type RequestLimit } from './request-limit.ts'

export interface HttpApiOptions {
  /** How long an answer that is not known yet is waited for before it says `pending`, in ms. */
  readonly pendingGraceMs?: number
  /** How long what a single request asked for stays watched, in ms. */
  readonly lingerMs?: number
  /** Explanations per second and client. */
  readonly explanationsPerSecond?: number
  /** How long open requests may go on after the server began to stop, in ms. */
  readonly closeGraceMs?: number
}

export interface HttpContext {
  readonly ports: ApiPorts
  readonly options: Required<HttpApiOptions>
  readonly codec: Codec
  readonly streams: OpenStreams
  readonly warm: WarmCells
  readonly evaluation: EvaluationFrames
  readonly dtabs: DtabFrames
  readonly refusals: RefusalLookup
  readonly errors: ErrorLog
  readonly explanations: RequestLimit
  /** Ends streams, workers and watches. */
  close(): Promise<void>
}

const defaults: Required<HttpApiOptions> = {
  pendingGraceMs: 100,
  lingerMs: 10_000,
  explanationsPerSecond: 200,
  closeGraceMs: 5_000,
}

const maxWarmCells = 4_096

/** Opens nothing yet; the caller closes it. */
export function createContext(ports: ApiPorts, partial: HttpApiOptions): HttpContext {
  const options = { ...defaults, ...partial }
  const { clock, log } = ports
  const codec = createCodec(clock)
  const streams = new OpenStreams(ports)
  const warm = new WarmCells({ clock, lingerMs: options.lingerMs, maxCells: maxWarmCells })
  const perSecond = options.explanationsPerSecond
  return {
    ports,
    options,
    codec,
    streams,
    warm,
    evaluation: createEvaluationFrames(ports),
    dtabs: createDtabFrames({ ...ports, codec }),
    refusals: new RefusalLookup(ports.store, warm),
    errors: createErrorLog(log, clock),
    explanations: createRequestLimit({ clock, perSecond, burst: perSecond * 2 }),
    close: async () => {
      streams.close()
      warm.close()
      await codec.close()
    },
  }
}
