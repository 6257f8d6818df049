// A frame: what is known now of one resource, encoded once and shared by every answer and stream that shows it.
import { contentHash } from '../../naming/content-hash.ts'
import type { NamingError } from '../../naming/errors.ts'
import type { Stale } from '../../watch/state.ts'
import { problemFromError } from './problem.ts'
import { timeText } from './time-text.ts'

export interface FrameParts {
  /** `deleted` when the namespace does not exist. */
  readonly type?: 'state' | 'deleted'
  /** Members that say what this is about. */
  readonly about: object
  /** Absent on resources that belong to no namespace. */
  readonly dtabVersion?: number
  readonly hash: string
  /** Members with the content. */
  readonly content: object
  /** A member that is JSON already, and may be large. */
  readonly rawContent?: string
  /** Makes two frames of equal hash differ all the same. */
  readonly mark?: string
  readonly stale?: Stale | undefined
  readonly isPending?: boolean
  /** Why there is no content: events carry it as a problem, answers are it. */
  readonly error?: NamingError
}

/** Immutable; what it is encoded to is made when it is first asked for, and kept. */
export class Frame {
  readonly hash: string
  readonly dtabVersion: number | undefined
  readonly isPending: boolean
  readonly error: NamingError | undefined
  /** Equal keys: nobody who saw the one learns from the other. */
  readonly key: string
  readonly #type: string
  readonly #about: string
  readonly #content: string
  readonly #parts: FrameParts
  #line: Buffer | undefined
  #message: Buffer | undefined

  constructor(parts: FrameParts) {
    const {
      type = 'state',
      about,
      dtabVersion,
      hash,
      content,
      rawContent,
      mark = '',
      stale,
      isPending = false,
      error,
    } = parts
    this.#parts = parts
    this.#type = type
    this.hash = hash
    this.dtabVersion = dtabVersion
    this.isPending = isPending
    this.error = error
    this.#about = membersBefore(about)
    const known = membersAfter({ ...content, ...(stale && { stale: staleJson(stale) }) })
    this.#content = rawContent === undefined ? known : `${known},${rawContent}`
    this.key = `${type} ${hash} ${stale === undefined ? '' : `${stale.since} ${stale.reason.message}`} ${mark}`
  }

  /** The same with more members, of which `mark` is the text that differs when they do. The hash stays: it is that of the dtab. */
  with(members: object, mark: string): Frame {
    const { content, mark: known = '' } = this.#parts
    return new Frame({ ...this.#parts, content: { ...content, ...members }, mark: `${known} ${mark}` })
  }

  /** The JSON document; `dtabVersion` is the present one, which may have grown without a change of content. */
  document(dtabVersion = this.dtabVersion): string {
    const version = dtabVersion === undefined ? '' : `"dtabVersion":${dtabVersion},`
    return `{${this.#about}${version}"hash":"${this.hash}"${this.#content}}\n`
  }

  /** One line of newline-delimited JSON. */
  line(): Buffer {
    this.#line ??= Buffer.from(this.#event())
    return this.#line
  }

  /** One server-sent event. */
  message(): Buffer {
    this.#message ??= Buffer.from(`event: ${this.#type}\nid: ${this.hash}\ndata: ${this.#event()}\n`)
    return this.#message
  }

  #event(): string {
    const problem = this.error === undefined ? '' : membersAfter({ problem: problemFromError(this.error) })
    const head = `"type":"${this.#type}",${this.#about}"dtabVersion":${this.dtabVersion ?? 0},"hash":"${this.hash}"`
    return `{${head}${this.#content}${problem}}\n`
  }
}

/** The members of an object, each with a comma behind it. */
function membersBefore(object: object): string {
  const json = JSON.stringify(object)
  return json === '{}' ? '' : `${json.slice(1, -1)},`
}

/** The members of an object, each with a comma before it. A large text is never searched for the comma to take away. */
function membersAfter(object: object): string {
  const json = JSON.stringify(object)
  return json === '{}' ? '' : `,${json.slice(1, -1)}`
}

/** Whether a reader of `a` learns nothing from `b`. */
export function sameFrame(a: Frame, b: Frame): boolean {
  return a.key === b.key
}

/** When and why, for people. */
export function staleJson(stale: Stale): object {
  return { since: timeText(stale.since), reason: stale.reason.message }
}

/** Nothing is known yet. */
export function pendingFrame(about: object, waitingFor: string | undefined, dtabVersion?: number): Frame {
  return new Frame({
    about,
    ...(dtabVersion !== undefined && { dtabVersion }),
    hash: contentHash('pending'),
    content: { pending: waitingFor === undefined ? {} : { waitingFor } },
    mark: waitingFor ?? '',
    isPending: true,
  })
}

/** It cannot be known, and why. */
export function failedFrame(about: object, error: NamingError, dtabVersion?: number): Frame {
  return new Frame({
    about,
    ...(dtabVersion !== undefined && { dtabVersion }),
    hash: contentHash(`failed ${error.code} ${error.message}`),
    content: {},
    error,
  })
}
