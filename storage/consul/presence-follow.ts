// Follows the records of presence: one blocking query over their folder.
import type { ConsulAgent } from '../../clients/consul/agent.ts'
import { decodeEntries } from '../../clients/consul/kv-json.ts'
import type { PresenceFollower } from '../shared/shared-backend.ts'
import type { PresenceRecord } from '../store.ts'
import { keyPath } from './head-follow.ts'
import { unfiltered } from './head-lists.ts'
import type { Layout } from './layout.ts'
import { presenceRecord } from './records.ts'

/** The last moment that a date can be: Consul removes a record when its session ends, and does not say when that will be. */
const neverMs = 8.64e15

export interface PresenceFollowOptions {
  readonly agent: ConsulAgent
  readonly layout: Layout
  readonly parameters: Readonly<Record<string, string>>
  readonly follower: PresenceFollower
  readonly errorOf: (error: unknown) => Error
}

/** Until the returned function is called. */
export function followPresence(options: PresenceFollowOptions): () => void {
  const { agent, layout, parameters, follower, errorOf } = options
  const query = {
    path: keyPath(layout.presence),
    parameters: { ...parameters, recurse: '' },
    absentIsEmpty: true,
    beginsConsistent: true,
  }
  return agent.follow(query, {
    changed: answer => follower.changed(recordsIn(unfiltered(answer))),
    same: () => {},
    failed: (error, retryAt) => follower.failed(errorOf(error), retryAt),
  })
}

/** A key without a session is nobody's sign of life. */
function recordsIn(body: unknown): readonly PresenceRecord[] {
  return [...decodeEntries(body)].flatMap(({ key, value, session }) =>
    session === undefined ? [] : { ...presenceRecord.decode(value, key), expiresAt: neverMs },
  )
}
