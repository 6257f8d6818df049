// What gRPC says of a call that reached nobody, without the words that only its authors need. Pure.

/** `No connection established. Last error: Error: connect ECONNREFUSED 10.0.0.7:4321. Resolution note: ` is told as its middle. */
export function plainFailure(details: string): string {
  return details
    .replace(/^No connection established\. Last error: (?:Error: )?(?=\S)/, '')
    .replace(/\.? Resolution note:\s*$/, '')
}
