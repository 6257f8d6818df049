// Where everything lies in Consul's keys: the texts where people edit them, all that is ours elsewhere. Pure.
import { createHash } from 'node:crypto'
import { parseNamespace } from '../../naming/namespace.ts'

const hourMs = 60 * 60 * 1000
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
  /** Below it a folder for each hour since 1970, with the names of the idempotency keys of that hour. */
  readonly hours: string
  readonly #ours: string

  /** `pathPrefix` without slashes at its ends. Folders of two prefixes differ, and none lies in another. */
  constructor(pathPrefix: string) {
    this.texts = `${pathPrefix}/`
    const name = pathPrefix.replace(/[%:]/g, encodeURIComponent).replaceAll('/', ':')
    this.#ours = `${ourFolder}/${name}/`
    this.heads = `${this.#ours}heads/`
    this.presence = `${this.#ours}presence/`
    this.hours = `${this.#ours}hours/`
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

  /** Below it the text of each version: apart from the record, so that a page of history weighs no texts. */
  versionTexts(namespace: string): string {
    return `${this.#ours}texts/${namespace}/`
  }

  versionText(namespace: string, version: number): string {
    return `${this.versionTexts(namespace)}${numberText(version)}`
  }

  /** A lease, or a record of presence. */
  claim(kind: 'lease' | 'presence', name: string): string {
    return `${kind === 'lease' ? `${this.#ours}leases/` : this.presence}${encodeURIComponent(name)}`
  }

  /** What an idempotency key has made; `name` is from `keyName`. */
  key(name: string): string {
    return `${this.#ours}keys/${name}`
  }

  hour(time: number): string {
    return `${this.hours}${hourOf(time)}/`
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

/** What stands for an idempotency key of any length and content. */
export function keyName(namespace: string, key: string): string {
  return `${namespace}/${createHash('sha256').update(key).digest('base64url')}`
}

/** Hours since 1970. */
export function hourOf(time: number): number {
  return Math.floor(time / hourMs)
}

/** The hour of a folder below `hours`. */
export function hourIn(layout: Layout, folder: string): number | undefined {
  const text = folder.slice(layout.hours.length)
  return /^\d+\/$/.test(text) ? Number(text.slice(0, -1)) : undefined
}

function numberText(version: number): string {
  return String(version).padStart(digits, '0')
}
