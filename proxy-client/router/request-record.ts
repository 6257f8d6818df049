// What is told of one request when it is over, for logs and for the page of recent requests.
import type { Clock } from '../../watch/clock.ts'
import type { Inbound } from '../exchange/inbound.ts'
import type { Stage } from '../failure.ts'
import type { RequestRecord, RequestResult } from '../telemetry/stats.ts'

export interface RequestEnd {
  readonly status: number
  readonly result: RequestResult
  readonly ms: number
  readonly attempts: number
  readonly service: string | undefined
  readonly client: string | undefined
  readonly endpoint: string | undefined
  readonly requestId: string | undefined
  readonly failedAt: Stage | undefined
}

export function recordOf(inbound: Inbound, end: RequestEnd, clock: Clock): RequestRecord {
  const { head, peer } = inbound
  const { status, result, ms, attempts, service, client, endpoint, requestId, failedAt } = end
  const userAgent = head.fields.first('user-agent')
  const referer = head.fields.first('referer')
  return {
    startedAt: clock.now() - ms,
    ms,
    from: `${peer.remoteAddress}:${peer.remotePort}`,
    method: inbound.method,
    target: inbound.target,
    host: inbound.host,
    minor: head.minor,
    status,
    result,
    bytesIn: inbound.bytesIn,
    bytesOut: inbound.bytesOut,
    attempts,
    ...(service !== undefined && { service }),
    ...(client !== undefined && { client }),
    ...(endpoint !== undefined && { endpoint }),
    ...(requestId !== undefined && { requestId }),
    ...(userAgent !== undefined && { userAgent }),
    ...(referer !== undefined && { referer }),
    ...(failedAt !== undefined && { failedAt }),
  }
}
