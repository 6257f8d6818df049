// The kind `sqlite`: one file on this machine.
import { z } from 'zod'
import { defineKind } from '../../runtime/kind.ts'
import { openSqliteStore } from './sqlite-store.ts'

const sqliteConfig = z.strictObject({
  /** The database file; made, with its directories, when it is not there. */
  path: z
    .string()
    .min(1)
    .refine(path => path !== ':memory:', { error: 'names no file; use the kind `memory` for a store without one' }),
})

/** Versions and history in a SQLite file; durable before a write is answered. */
export const sqlite = defineKind({
  kind: 'sqlite',
  config: sqliteConfig,
  open: openSqliteStore,
  backup: async ({ path }, target) => (await import('./backup.ts')).backupSqlite(path, target),
})
