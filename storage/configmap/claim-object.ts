// A claim as a Lease of coordination.k8s.io: whose it is, for how long after each renewal, and what it says.
import type { Claim } from '../claims.ts'
import { labels } from './facts.ts'
import { claimName } from './object-names.ts'
import { decodeObject } from './stored-object.ts'

const annotations = {
  name: 'nameplane.io/name',
  data: 'nameplane.io/data',
  /** By the holder's clock, for people; makes each renewal a change. */
  renewed: 'nameplane.io/renewed',
} as const

export interface ClaimObject {
  readonly kind: Claim['kind']
  readonly name: string
  readonly owner: string
  readonly data: string
  /** It ends so long after its last change. */
  readonly lifeMs: number
  readonly uid: string
  readonly resourceVersion: string
}

export function encodeClaim({ kind, name, owner, data, now, expiresAt }: Claim): object {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      name: claimName(kind, name),
      labels: { [labels.claim]: kind },
      annotations: { [annotations.name]: name, [annotations.data]: data, [annotations.renewed]: String(now) },
    },
    spec: { holderIdentity: owner, leaseDurationSeconds: Math.max(1, Math.ceil((expiresAt - now) / 1000)) },
  }
}

/** Undefined for a Lease that is none of ours. */
export function decodeClaim(value: unknown): ClaimObject | undefined {
  const { annotations: found, labels: tags, spec, uid, resourceVersion } = decodeObject(value)
  const kind = tags[labels.claim]
  const name = found[annotations.name]
  const { holderIdentity, leaseDurationSeconds } = spec
  if ((kind !== 'lease' && kind !== 'presence') || name === undefined) return undefined
  return {
    kind,
    name,
    owner: typeof holderIdentity === 'string' ? holderIdentity : '',
    data: found[annotations.data] ?? '',
    lifeMs: typeof leaseDurationSeconds === 'number' ? leaseDurationSeconds * 1000 : 0,
    uid,
    resourceVersion,
  }
}
