// What a server says of itself in the store's presence records.
import { z } from 'zod'
import type { PresenceRecord } from '../../storage/store.ts'

/** A server that is present. */
export interface ServerRecord {
  readonly id: string
  /** `host:port` of its gRPC interface; absent when it has none. */
  readonly address?: string
  /** Of its software. */
  readonly version: string
  /** ms since 1970. */
  readonly startedAt: number
}

const kind = 'server'

const data = z.looseObject({
  kind: z.literal(kind),
  address: z.string().optional(),
  version: z.string(),
  startedAt: z.number(),
})

/** The text of a presence record. */
export function formatRecord({ address, version, startedAt }: ServerRecord): string {
  return JSON.stringify({ kind, address, version, startedAt })
}

/** Undefined for a record of somebody who is no server, or of one whose words are not understood here. */
export function parseRecord({ id, data: text }: Pick<PresenceRecord, 'id' | 'data'>): ServerRecord | undefined {
  const parsed = data.safeParse(jsonOf(text))
  if (!parsed.success) return undefined
  const { address, version, startedAt } = parsed.data
  return { id, version, startedAt, ...(address !== undefined && { address }) }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
