// A kind: one way to do something (a namer, a store), with its strict schema beside its code. Loaded only when configured.
import type { z } from 'zod'
import type { Env } from './env.ts'

/** `open` gets the parsed, complete configuration without `kind`; what it returns is closed by the caller. */
export interface Kind<T, S extends z.ZodType = z.ZodType> {
  readonly kind: string
  readonly config: S
  open(config: z.output<S>, env: Env): T | Promise<T>
}

/** Ties a kind's schema to its open, so that a kind's folder exports one value. */
export function defineKind<T, S extends z.ZodType>(kind: Kind<T, S>): Kind<T, S> {
  return kind
}

/** Maps a kind's name to its lazy import. */
export type KindRegistry<T> = Readonly<Record<string, () => Promise<Kind<T>>>>
