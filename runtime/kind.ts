// A kind: one way to do something (a namer, a store), with its strict schema beside its code. Loaded only when configured.
import type { z } from 'zod'
import type { Env } from './env.ts'

/** Where a backup goes, and who is told of it. */
export interface BackupTarget {
  /** The file to be made; its directory must exist. */
  readonly file: string
  /** Takes the place of a file of that name; refused otherwise. */
  readonly isForced: boolean
  /** What is done of a step, from 0 to 1; as often as it can be told. */
  readonly onProgress: (share: number, doing: string) => void
}

export interface BackupReport {
  /** Of the file that was made. */
  readonly bytes: number
  readonly namespaces: number
  readonly versions: number
}

/** `open` gets the parsed, complete configuration without `kind`; what it returns is closed by the caller. */
export interface Kind<T, S extends z.ZodType = z.ZodType> {
  readonly kind: string
  readonly config: S
  open(config: z.output<S>, env: Env): T | Promise<T>
  /** Copies what is kept to one file while it is in use; absent where the backend itself must be asked. Rejects with NamingErrors. */
  backup?(config: z.output<S>, target: BackupTarget): Promise<BackupReport>
}

/** Ties a kind's schema to its open, so that a kind's folder exports one value. */
export function defineKind<T, S extends z.ZodType>(kind: Kind<T, S>): Kind<T, S> {
  return kind
}

/** Maps a kind's name to its lazy import. */
export type KindRegistry<T> = Readonly<Record<string, () => Promise<Kind<T>>>>
