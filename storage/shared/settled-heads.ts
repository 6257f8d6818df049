// Heads as they count: what the backend holds, after an edit from outside has become a version and what is no dtab was left
// aside. Knows how to write such a version; callers stand in line for the namespace.
import { NamingError } from '../../naming/errors.ts'
import type { Env } from '../../runtime/env.ts'
import type { Version } from '../store.ts'
import { dtabBytes } from '../write-rules.ts'
import { externalVersion, judgeOutsideEdit, type OutsideEdit } from './outside-edits.ts'
import { RecentHeads } from './recent-heads.ts'
import type { RefusedTexts } from './refused-texts.ts'
import type { Commit, CommitOutcome, HeadRecord, HeadSighting, SharedBackend, StoredHead } from './shared-backend.ts'
import type { SharedHeads } from './shared-heads.ts'

/** A head that a write may go on. */
export interface SettledHead {
  /** What the write must find unchanged. */
  readonly over: HeadSighting
  /** What counts as the head; undefined for a namespace that never was. */
  readonly head: Version | undefined
  /** Why the text of the head cannot be had any more: `head` has an empty one then, and may only be written over. */
  readonly lost?: NamingError
}

export interface SettledHeadsOptions {
  readonly backend: SharedBackend
  readonly env: Env
  readonly heads: SharedHeads
  readonly refused: RefusedTexts
  /** Told of every head that was read or written: what it is, and the epoch it was asked for in. */
  readonly show: (sighting: HeadSighting, head: Version | undefined, epoch: number) => void
}

/** vanished: there is no trace left of what we wrote. */
export type Unsettled = 'no' | 'edited' | 'vanished'

/** Others may write a head between our reading and our writing this often in a row. */
const maxRaces = 50

export class SettledHeads {
  readonly #options: SettledHeadsOptions
  /** Tokens of what is not ours and yet says nothing new, such as a deletion of what was deleted. */
  readonly #judged = new Map<string, string>()
  readonly #recent: RecentHeads

  constructor(options: SettledHeadsOptions) {
    this.#options = options
    this.#recent = new RecentHeads(options.env.clock, options.heads)
  }

  /** The head as this server knew it a moment ago, to be written over unread; a commit may well find that it has moved. */
  recent(namespace: string): SettledHead | undefined {
    return this.#recent.at(namespace)
  }

  /** Tokens may come again for something else. */
  rewound(): void {
    this.#judged.clear()
  }

  /** The head, an edit from outside taken in; a lost text is no failure here. Call it in line for the namespace only. */
  async settle(namespace: string): Promise<SettledHead> {
    for (let race = 0; race < maxRaces; race++) {
      const { epoch } = this.#options.heads
      const stored = await this.#options.backend.readHead(namespace)
      const record = this.#recordOf(stored)
      const edit = await this.#judge(stored, record)
      if (edit.kind !== 'edit') return this.#standing(stored, record, edit, epoch)
      const taken = await this.#adopt(stored, record, edit)
      if (taken !== undefined) return taken
    }
    throw new NamingError('store-busy', `'${namespace}' is edited in the store faster than it can be read.`)
  }

  /** Reads the head as it stands and shows it, unless somebody has removed all there was of it: then undefined is no answer. */
  async look(namespace: string): Promise<{ readonly head: Version | undefined; readonly unsettled: Unsettled }> {
    const { heads, backend, show } = this.#options
    const { epoch } = heads
    const stored = await backend.readHead(namespace)
    const record = this.#recordOf(stored)
    const unsettled = this.unsettled(stored, record)
    if (unsettled === 'vanished') {
      heads.see(sightingOf(stored), epoch)
      return { head: undefined, unsettled }
    }
    const head = await this.#headOf(stored, record)
    const over = sightingOf(stored)
    if (unsettled === 'no') this.#recent.keep({ over, head }, epoch)
    show(over, head, epoch)
    return { head, unsettled }
  }

  /** Whether somebody else was here since our last write, and it is not known to be no dtab. */
  unsettled(sighting: HeadSighting, record: HeadRecord | undefined): Unsettled {
    if (sighting.isOurs) return hasVanished(sighting, record) ? 'vanished' : 'no'
    const { namespace, token } = sighting
    const isKnown = this.#options.refused.has(namespace, token) || this.#judged.get(namespace) === token
    return isKnown ? 'no' : 'edited'
  }

  /** Commits and shows; rejects as the backend does. */
  async commit(commit: Commit): Promise<CommitOutcome> {
    const { backend, heads, show, refused } = this.#options
    const { epoch } = heads
    const { version } = commit
    // Until the commit has ended nobody knows.
    this.#recent.forget(version.namespace)
    const outcome = await backend.commit(commit)
    if (outcome.kind === 'written') {
      refused.clear(version.namespace)
      this.#recent.keep({ over: outcome.sighting, head: version }, epoch)
      show(outcome.sighting, version, epoch)
    }
    return outcome
  }

  #judge(stored: StoredHead, record: HeadRecord | undefined): Promise<OutsideEdit> {
    const { backend, env } = this.#options
    return judgeOutsideEdit(stored, { clock: env.clock, maxDtabBytes: backend.maxDtabBytes, record })
  }

  async #standing(
    stored: StoredHead,
    record: HeadRecord | undefined,
    edit: OutsideEdit,
    epoch: number,
  ): Promise<SettledHead> {
    if (!this.#isOutdated(stored)) this.#remember(stored, edit)
    const { show } = this.#options
    const over = sightingOf(stored)
    try {
      const head = await this.#headOf(stored, record)
      this.#recent.keep({ over, head }, epoch)
      show(over, head, epoch)
      return { over, head }
    } catch (error) {
      const lost = NamingError.from(error)
      if (lost.code !== 'store-corrupt' || record === undefined) throw error
      return { over, head: { namespace: over.namespace, version: record.version, text: '', meta: record.meta }, lost }
    }
  }

  /** Undefined when another was faster, with this or with something newer. */
  async #adopt(
    stored: StoredHead,
    parent: HeadRecord | undefined,
    edit: { readonly text?: string },
  ): Promise<SettledHead | undefined> {
    const { backend, env } = this.#options
    const { namespace } = stored
    const made = externalVersion(edit, { kind: backend.kind, namespace, parent, time: env.clock.now() })
    let { version } = made
    for (let tries = 0; tries < maxRaces; tries++) {
      const adopted = { ...made, version }
      const outcome = await this.commit({ over: sightingOf(stored), version: adopted })
      if (outcome.kind === 'written') {
        env.log.info({ store: backend.kind, namespace, version }, 'an edit past Nameplane became a version')
        return { over: outcome.sighting, head: adopted }
      }
      if (outcome.kind === 'moved') return undefined
      version = outcome.next ?? version + 1
    }
    return undefined
  }

  #remember({ namespace, token, isOurs }: StoredHead, edit: OutsideEdit): void {
    const { refused } = this.#options
    if (edit.kind === 'refused') refused.put(token, { namespace, ...facts(edit) })
    else refused.clear(namespace)
    if (edit.kind === 'none' && !isOurs) this.#judged.set(namespace, token)
    else this.#judged.delete(namespace)
  }

  /** Whether something newer was seen while the answer was under way: that is what counts of it, and was told already. */
  #isOutdated({ namespace, token, order }: StoredHead): boolean {
    const seen = this.#options.heads.sighting(namespace)
    return seen !== undefined && seen.order > order && seen.token !== token
  }

  /** What we wrote last: also what was seen of it before somebody removed the record. */
  #recordOf(stored: StoredHead): HeadRecord | undefined {
    if (stored.record !== undefined) return stored.record
    const { heads } = this.#options
    const seen = heads.sighting(stored.namespace)
    return seen !== undefined && seen.order <= stored.order ? heads.record(stored.namespace) : undefined
  }

  async #headOf(stored: StoredHead, record: HeadRecord | undefined): Promise<Version | undefined> {
    if (record === undefined) return undefined
    const { namespace, content, isOurs } = stored
    const { version, meta, deleted } = record
    if (deleted) return { namespace, version, meta }
    if (isOurs && content !== undefined) return { namespace, version, text: ownText(content, record), meta }
    const recorded = await this.#options.backend.readVersion(namespace, version)
    if (recorded !== undefined) return recorded
    throw new NamingError(
      'store-corrupt',
      `The text of version ${version} of '${namespace}' is not where it was written.`,
      {
        detail: { namespace, version },
      },
    )
  }
}

function hasVanished(sighting: HeadSighting, record: HeadRecord | undefined): boolean {
  return sighting.record === undefined && record !== undefined && !record.deleted
}

/** Without what weighs. */
function sightingOf({ namespace, record, isOurs, token, order }: StoredHead): HeadSighting {
  return { namespace, isOurs, token, order, ...(record && { record }) }
}

function facts(edit: Extract<OutsideEdit, { readonly kind: 'refused' }>): Omit<typeof edit, 'kind'> {
  const { reason, position, bytes } = edit
  return { reason, bytes, ...(position && { position }) }
}

function ownText(content: Uint8Array, record: HeadRecord): string {
  const text = Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('utf8')
  if (dtabBytes(text) === record.bytes) return text
  throw new NamingError(
    'store-corrupt',
    `The text of version ${record.version} has not the size that it was written with.`,
  )
}
