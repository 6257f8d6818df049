// Whether a replica set lacks an endpoint that the one before had. Every stream that sends both asks the same, so the last
// answer is kept.
import type { ReplicaSet } from '../../naming/replica-set.ts'
import type { State } from '../../watch/state.ts'

let lastBefore: ReplicaSet | undefined
let lastAfter: ReplicaSet | undefined
let lastAnswer = false

/** False where either is not known. */
export function takesAway(before: State<ReplicaSet> | undefined, after: State<ReplicaSet>): boolean {
  if (before?.kind !== 'ok' || after.kind !== 'ok') return false
  if (before.value === lastBefore && after.value === lastAfter) return lastAnswer
  lastBefore = before.value
  lastAfter = after.value
  lastAnswer = lacksEndpoint(before.value, after.value)
  return lastAnswer
}

function lacksEndpoint(before: ReplicaSet, after: ReplicaSet): boolean {
  if (before === after || before.kind === 'neg') return false
  if (after.kind === 'neg' || after.endpoints.length < before.endpoints.length) return true
  const kept = new Set(after.endpoints.map(({ address, port }) => `${address} ${port}`))
  return before.endpoints.some(({ address, port }) => !kept.has(`${address} ${port}`))
}
