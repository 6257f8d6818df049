// `storage` of the configuration taken apart: what holds for every kind of store, and what is the kind's own.
import { z } from 'zod'
import type { ConfigDocument, ConfigPath } from '../runtime/config.ts'
import { historyConfig, type RetentionRule, retentionRuleOf } from '../storage/retention-rule.ts'

/** Stores on this machine have room for more than those that a cluster shares. */
const localKinds: readonly string[] = ['memory', 'io.l5d.inMemory', 'sqlite']
const localMaxVersions = 1_000
const sharedMaxVersions = 100

/** Who we are there and how we ask: one who mends these while the store refuses us must not lose the snapshot by it. */
const notWhichStore: readonly string[] = [
  'username',
  'password',
  'token',
  'tls',
  'allowEmpty',
  'readConsistencyMode',
  'writeConsistencyMode',
]

const withOptions = z.looseObject({ kind: z.string(), history: historyConfig.prefault({}) })

/** Beside sqlite's own default file. */
const snapshotConfig = z.strictObject({ path: z.string().min(1).default('nameplane-data/snapshot') })

export interface StorageOptions {
  /** Which old versions are dropped. */
  readonly history: RetentionRule
  /** The directory of the local snapshot; absent when there is to be none. */
  readonly snapshotPath?: string
  /** `kind` and what its own strict schema is to check. */
  readonly rest: unknown
  /** What of that tells this store from another. */
  readonly identity: unknown
}

/** Throws `bad-config` for what is wrong in `history` or `snapshot`; `rest` is not looked at. */
export function splitStorage(
  document: ConfigDocument,
  { value, at }: { readonly value: unknown; readonly at: ConfigPath },
): StorageOptions {
  const { history, snapshot, ...rest } = document.check(withOptions, value, at)
  const isLocal = localKinds.includes(rest.kind)
  const path = snapshotPathOf(document, snapshot ?? (isLocal ? false : {}), [...at, 'snapshot'])
  return {
    history: retentionRuleOf(history, isLocal ? localMaxVersions : sharedMaxVersions),
    ...(path !== undefined && { snapshotPath: path }),
    rest,
    identity: identityOf(rest),
  }
}

/** In any order of keys the same. */
function identityOf(rest: object): unknown {
  const telling = Object.entries(rest).filter(([key]) => !notWhichStore.includes(key))
  return telling.sort(([a], [b]) => (a < b ? -1 : 1))
}

function snapshotPathOf(document: ConfigDocument, snapshot: unknown, at: ConfigPath): string | undefined {
  return snapshot === false ? undefined : document.check(snapshotConfig, snapshot, at).path
}
