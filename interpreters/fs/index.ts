// The kind `io.l5d.fs`: endpoints from files in a directory, as namerd's namer of that name.
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { z } from 'zod'
import { NamingError } from '../../naming/errors.ts'
import { parsePath } from '../../naming/parse.ts'
import type { Path } from '../../naming/path.ts'
import type { Env } from '../../runtime/env.ts'
import { defineKind } from '../../runtime/kind.ts'
import type { Namer } from '../namer.ts'
import { discoveryOptions } from '../namer-config.ts'
import { createFsNamer } from './fs-namer.ts'

const prefix = z.string().transform((text, context): Path => {
  const parsed = parsePath(text)
  if (parsed.ok && parsed.value.length > 0) return ['#', ...parsed.value]
  const reason = parsed.ok ? 'a prefix needs at least one label' : parsed.error.message
  context.addIssue({ code: 'custom', message: reason })
  return z.NEVER
})

const fsConfig = z.strictObject({
  /** The directory; relative to the working directory of the server. */
  rootDir: z.string().min(1),
  /** `/#` is put before it. */
  prefix: prefix.prefault('/io.l5d.fs'),
  /** Taken for namerd's sake; changes nothing. */
  experimental: z.boolean().optional(),
  /** Whether an emptied file is neg, so that `|` falls over. */
  emptyIsNeg: z.boolean().default(false),
  emptyHoldDownMs: discoveryOptions.emptyHoldDownMs,
})

function open(config: z.output<typeof fsConfig>, env: Env): Namer {
  const rootDir = resolve(config.rootDir)
  if (!isDirectory(rootDir)) {
    const message = `rootDir: ${rootDir} is not a directory; create it or name the directory that holds the endpoint files`
    throw new NamingError('bad-config', message, { detail: { rootDir } })
  }
  const { prefix, emptyIsNeg, emptyHoldDownMs } = config
  return createFsNamer({ rootDir, prefix, emptyFiles: { emptyIsNeg, emptyHoldDownMs } }, env)
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
  } catch (error) {
    throw new NamingError('bad-config', `rootDir: ${path} cannot be looked at`, { cause: error })
  }
}

/** Files `host port [* weight]` under `rootDir`. */
export const fs = defineKind({ kind: 'io.l5d.fs', config: fsConfig, open })
