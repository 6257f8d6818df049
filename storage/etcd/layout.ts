// Where everything lies in etcd's keys: the texts where people edit them, what is ours beside them under names that no
// namespace can have. Pure.
import { createHash } from 'node:crypto'
import { parseNamespace } from '../../naming/namespace.ts'

const hourMs = 60 * 60 * 1000
/** Enough for any version number; equal lengths keep keys in the order of their numbers. */
const digits = 16
/** Enough hours since 1970 for a thousand years. */
const hourDigits = 7

/** A range of keys, up to but not with `end`. */
export interface KeySpan {
  readonly key: string
  readonly end: string
}

/**
 * The keys of one store. In their order: answers, archive, changes, claims, heads, then the texts, for a dot comes before
 * digits and letters. So heads and texts are one range without the rest.
 */
export class Layout {
  readonly #base: string

  /** `pathPrefix` without a slash at its end. */
  constructor(pathPrefix: string) {
    this.#base = `${pathPrefix}/`
  }

  /** Heads and texts; the texts begin at `textsFrom`. */
  get followed(): KeySpan & { readonly textsFrom: string } {
    return { ...spanOf(this.#base), key: this.#heads, textsFrom: `${this.#base}0` }
  }

  get presence(): KeySpan {
    return spanOf(this.#claims('presence'))
  }

  text(namespace: string): string {
    return `${this.#base}${namespace}`
  }

  head(namespace: string): string {
    return `${this.#heads}${namespace}`
  }

  /** The facts of a version; its text stands apart, so that a page of history weighs none. */
  change(namespace: string, version: number): string {
    return `${this.#base}.changes/${namespace}/${numberText(version)}`
  }

  /** The text of a version. */
  archived(namespace: string, version: number): string {
    return `${this.#base}.archive/${namespace}/${numberText(version)}`
  }

  claim(kind: 'lease' | 'presence', name: string): string {
    return `${this.#claims(kind)}${encodeURIComponent(name)}`
  }

  /** What an Idempotency-Key made; see nameOfAnswer. */
  answer(name: string): string {
    return `${this.#base}.answers/${name}`
  }

  /** Says that the answer was given in the hour of `time`, in ms since 1970. */
  answerInHour(time: number, name: string): string {
    return `${this.#hourOf(time)}${name}`
  }

  /** What says so of all hours before that of `time`. */
  answersBefore(time: number): KeySpan {
    return { key: this.#hours, end: this.#hourOf(time) }
  }

  /** The answer's name in a key that `answerInHour` made. */
  nameIn(key: string): string {
    return key.slice(this.#hourOf(0).length)
  }

  /** What a key of the followed range is; undefined for one that is neither. */
  identify(key: string): { readonly kind: 'head' | 'text'; readonly namespace: string } | undefined {
    const kind = key.startsWith(this.#heads) ? 'head' : 'text'
    const name = parseNamespace(key.slice(kind === 'head' ? this.#heads.length : this.#base.length))
    return name.ok && key.startsWith(this.#base) ? { kind, namespace: name.value } : undefined
  }

  get #heads(): string {
    return `${this.#base}.heads/`
  }

  #claims(kind: 'lease' | 'presence'): string {
    return `${this.#base}.claims/${kind}/`
  }

  get #hours(): string {
    return `${this.#base}.answers-by-hour/`
  }

  #hourOf(time: number): string {
    return `${this.#hours}${String(Math.floor(time / hourMs)).padStart(hourDigits, '0')}/`
  }
}

/** One name for each key of a namespace, whatever letters the key has. */
export function nameOfAnswer(namespace: string, key: string): string {
  return `${namespace}/${createHash('sha256').update(key).digest('base64url')}`
}

/** All keys that begin so; `prefix` ends with a slash. */
function spanOf(prefix: string): KeySpan {
  return { key: prefix, end: `${prefix.slice(0, -1)}0` }
}

function numberText(version: number): string {
  return String(version).padStart(digits, '0')
}
