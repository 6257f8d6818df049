// Where everything lies in Consul's keys: the texts where people edit them, all that is ours elsewhere. Pure.
import { createHash } from 'node:crypto'
import { parseNamespace } from '../../naming/namespace.ts'

const dayMs = 24 * 60 * 60 * 1000
/** Enough for any version number; equal lengths keep keys in the order of their numbers. */
const digits = 16

/** The folder of all installations of ours. */
export const ourFolder = 'nameplane'

/** The keys of one installation. */
export class Layout {
  /** Below it stands the text of each namespace, under its name. */
  readonly texts: string
  readonly heads: string
  readonly presence: string
  /** Below it a folder for each day since 1970. */
  readonly idempotency: string
  readonly #ours: string

  /** `pathPrefix` without slashes at its ends. Folders of two prefixes differ, and none lies in another. */
  constructor(pathPrefix: string) {
    this.texts = `${pathPrefix}/`
    const name = pathPrefix.replace(/[%:]/g, encodeURIComponent).replaceAll('/', ':')
    this.#ours = `${ourFolder}/${name}/`
    this.heads = `${this.#ours}heads/`
    this.presence = `${this.#ours}presence/`
    this.idempotency = `${this.#ours}keys/`
  }

  text(namespace: string): string {
    return `${this.texts}${namespace}`
  }

  head(namespace: string): string {
    return `${this.heads}${namespace}`
  }

  /** Below it a record for each version of the namespace. */
  versions(namespace: string): string {
    return `${this.#ours}versions/${namespace}/`
  }

  version(namespace: string, version: number): string {
    return `${this.versions(namespace)}${numberText(version)}`
  }

  /** Apart from the record, so that a page of history weighs no texts. */
  versionText(namespace: string, version: number): string {
    return `${this.#ours}texts/${namespace}/${numberText(version)}`
  }

  /** A lease, or a record of presence. */
  claim(kind: 'lease' | 'presence', name: string): string {
    return `${kind === 'lease' ? `${this.#ours}leases/` : this.presence}${encodeURIComponent(name)}`
  }

  /** Of the day of `time`, in ms since 1970. */
  key(namespace: string, key: string, time: number): string {
    const digest = createHash('sha256').update(key).digest('base64url')
    return `${this.idempotency}${dayOf(time)}/${namespace}/${digest}`
  }

  /** A key that nobody writes. */
  get never(): string {
    return `${this.#ours}never`
  }
}

/** The namespace whose text or head a key below `prefix` is; undefined for a nested key and one that can be none. */
export function namespaceIn(prefix: string, key: string): string | undefined {
  if (!key.startsWith(prefix)) return undefined
  const name = parseNamespace(key.slice(prefix.length))
  return name.ok ? name.value : undefined
}

/** The number at the end of a version's key. */
export function versionIn(prefix: string, key: string): number | undefined {
  const text = key.slice(prefix.length)
  return key.startsWith(prefix) && /^\d{1,16}$/.test(text) ? Number(text) : undefined
}

/** Days since 1970. */
export function dayOf(time: number): number {
  return Math.floor(time / dayMs)
}

/** A moment in each day in which a key that is asked for now may have been written, whatever the writers' clocks said. */
export function daysAround(now: number): readonly number[] {
  return [now - dayMs, now, now + dayMs]
}

/** The day of a folder below `idempotency`. */
export function dayIn(layout: Layout, folder: string): number | undefined {
  const text = folder.slice(layout.idempotency.length)
  return /^\d+\/$/.test(text) ? Number(text.slice(0, -1)) : undefined
}

function numberText(version: number): string {
  return String(version).padStart(digits, '0')
}
