// The kinds `memory` and namerd's `io.l5d.inMemory`: one store, two names.
import { z } from 'zod'
import type { Env } from '../../runtime/env.ts'
import { defineKind } from '../../runtime/kind.ts'
import type { Store } from '../store.ts'
import { createMemoryStore } from './memory-store.ts'

const memoryConfig = z.strictObject({
  /** Namespaces to begin with: name to dtab text. */
  namespaces: z.record(z.string(), z.string()).default({}),
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
