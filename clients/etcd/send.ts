// One request to one server and its answer, in bytes, within a time of the injected clock. Knows no message.
import type { Metadata } from '@grpc/grpc-js'
import type { Clock } from '../../watch/clock.ts'
import type { Endpoint } from './endpoints.ts'
import { EtcdError } from './etcd-error.ts'

/** Bytes go as they are. */
export const asBytes = (bytes: Buffer): Buffer => bytes

export interface SendOptions {
  readonly path: string
  readonly bytes: Buffer
  readonly metadata: Metadata
  readonly withinMs: number
  readonly clock: Clock
}

/** Rejects with what gRPC says, or an EtcdError `timeout`; the request may have been carried out all the same. */
export function send(
  { address, client }: Endpoint,
  { path, bytes, metadata, withinMs, clock }: SendOptions,
): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const call = client.makeUnaryRequest(path, asBytes, asBytes, bytes, metadata, (error, answer) => {
    cancelTimer()
    if (error === null && answer !== undefined) resolve(answer)
    else reject(error ?? new Error('an answer without a message'))
  })
  const cancelTimer = clock.after(withinMs, () => {
    // Without the time, which differs from try to try: the same trouble in other words would be news to every watcher.
    reject(new EtcdError('timeout', `etcd at ${address} did not answer in time: look at its load and at the network`))
    call.cancel()
  })
  return promise
}
