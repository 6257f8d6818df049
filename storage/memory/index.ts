// The kinds `memory` and namerd's `io.l5d.inMemory`: one store, two names.
import { z } from 'zod'
import { checkDtab } from '../../naming/check-dtab.ts'
import type { NamingError } from '../../naming/errors.ts'
import { parseNamespace } from '../../naming/namespace.ts'
import { parseDtab } from '../../naming/parse.ts'
import type { Env } from '../../runtime/env.ts'
import { defineKind } from '../../runtime/kind.ts'
import type { Store } from '../store.ts'
import { createMemoryStore } from './memory-store.ts'

/** The fault of a namespace that the configuration brings along; undefined when it may be stored. */
function refuseInitial(namespace: string, text: string): NamingError | undefined {
  const name = parseNamespace(namespace)
  if (!name.ok) return name.error
  const dtab = parseDtab(text)
  if (!dtab.ok) return dtab.error
  const checked = checkDtab(dtab.value)
  return checked.ok ? undefined : checked.error
}

const namespaces = z.record(z.string(), z.string()).superRefine((texts, context) => {
  for (const [namespace, text] of Object.entries(texts)) {
    const refusal = refuseInitial(namespace, text)
    if (refusal !== undefined) context.addIssue({ code: 'custom', path: [namespace], message: refusal.message })
  }
})

const memoryConfig = z.strictObject({
  /** Namespaces to begin with: name to dtab text. */
  namespaces: namespaces.default({}),
})

type MemoryConfig = z.output<typeof memoryConfig>

const openAs =
  (kind: string) =>
  (config: MemoryConfig, env: Env): Store =>
    createMemoryStore({
      kernel: env.kernel,
      clock: env.clock,
      kind,
      namespaces: config.namespaces,
      onError: (error, what) => env.log.warn({ err: error, claim: what }, 'a claim could not be renewed'),
    })

/** Forgets everything when the server ends. */
export const memory = defineKind({ kind: 'memory', config: memoryConfig, open: openAs('memory') })

/** namerd's name for the same. */
export const inMemory = defineKind({
  kind: 'io.l5d.inMemory',
  config: memoryConfig,
  open: openAs('io.l5d.inMemory'),
})
