// `storage` of the configuration taken apart: what holds for every kind of store, and what is the kind's own.
import { z } from 'zod'
import type { ConfigDocument, ConfigPath } from '../runtime/config.ts'
import { historyConfig, type RetentionRule, retentionRuleOf } from '../storage/retention-rule.ts'

/** Stores on this machine have room for more than those that a cluster shares. */
const localKinds: readonly string[] = ['memory', 'io.l5d.inMemory', 'sqlite']
const localMaxVersions = 1_000
const sharedMaxVersions = 100

const withOptions = z.looseObject({ kind: z.string(), history: historyConfig.prefault({}) })

export interface StorageOptions {
  /** Which old versions are dropped. */
  readonly history: RetentionRule
  /** `storage.snapshot` as it is written; undefined when it is absent. */
  readonly snapshot: unknown
  /** `kind` and what its own strict schema is to check. */
  readonly rest: unknown
}

/** Throws `bad-config` for what is wrong in `history`; `snapshot` and `rest` are not looked at. */
export function splitStorage(
  document: ConfigDocument,
  { value, at }: { readonly value: unknown; readonly at: ConfigPath },
): StorageOptions {
  const { history, snapshot, ...rest } = document.check(withOptions, value, at)
  const defaultMaxVersions = localKinds.includes(rest.kind) ? localMaxVersions : sharedMaxVersions
  return { history: retentionRuleOf(history, defaultMaxVersions), snapshot, rest }
}
