// What gRPC says of a call that failed: the words, without those that only its authors need, and when to come again. Pure.

/** `No connection established. Last error: Error: connect ECONNREFUSED 10.0.0.7:4321. Resolution note: ` is told as its middle. */
export function plainFailure(details: string): string {
  return details
    .replace(/^No connection established\. Last error: (?:Error: )?(?=\S)/, '')
    .replace(/\.? Resolution note:\s*$/, '')
}

/** Where gRPC servers say when to come again: https://github.com/grpc/proposal/blob/master/A6-client-retries.md */
const pushbackKey = 'grpc-retry-pushback-ms'

/** The trailers of a call, as grpc-js has them. */
interface Trailers {
  get(key: string): readonly (string | Buffer)[]
}

/** How long the server asks not to be called again, in milliseconds; undefined when it does not. */
export function pushbackMsOf(trailers: Trailers): number | undefined {
  const [pushback] = trailers.get(pushbackKey)
  const ms = Number(pushback)
  return pushback !== undefined && ms > 0 ? ms : undefined
}
