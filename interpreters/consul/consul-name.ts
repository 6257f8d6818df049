// What a path under the prefix asks of Consul: a datacenter, a service and perhaps a tag. Knows nothing of answers.
import type { Label, Path } from '../../naming/path.ts'

/** The datacenter label that stands for the agent's own. */
export const localDatacenter = '.local'

/** Service and tag are text in lower case, as Consul compares them; the datacenter is as given. */
export interface ConsulName {
  readonly datacenter: string
  readonly service: string
  readonly tag?: string
}

/** How many labels of a path are the name. */
export function nameLength(hasTag: boolean): number {
  return hasTag ? 3 : 2
}

/** The name that the first labels of a path ask for; undefined when there are too few, or when no service can be called so. */
export function consulNameOf(rest: Path, hasTag: boolean): ConsulName | undefined {
  const labels = rest.slice(0, nameLength(hasTag))
  if (labels.length < nameLength(hasTag)) return undefined
  const [datacenter, ...others] = labels.map(textOfLabel)
  const service = others.pop()?.toLowerCase()
  const tag = others.pop()?.toLowerCase()
  if (datacenter === undefined || service === undefined || (hasTag && tag === undefined)) return undefined
  return { datacenter, service, ...(tag !== undefined && { tag }) }
}

/** One text per name, for people and as a key: `dc1/web`, `dc1/gold/web`. */
export function showConsulName({ datacenter, service, tag }: ConsulName): string {
  return [datacenter, ...(tag === undefined ? [] : [tag]), service].map(escapeSlash).join('/')
}

/** A text as a label: its bytes in UTF-8. */
export function labelOfText(text: string): Label {
  return Buffer.from(text, 'utf8').toString('latin1')
}

/** A slash in a segment must not look like one between segments. */
function escapeSlash(segment: string): string {
  return segment.includes('/') || segment.includes('%') ? encodeURIComponent(segment) : segment
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const plainLabel = /^[A-Za-z0-9_:$-]+$/

/** Undefined for what Consul refuses in a request (of what does not print only the plain space may stand there), and for segments that a URL would swallow. */
function textOfLabel(label: Label): string | undefined {
  if (plainLabel.test(label)) return label
  if (label === '.' || label === '..') return undefined
  try {
    const text = strictUtf8.decode(Buffer.from(label, 'latin1'))
    return /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u.test(text) ? undefined : text
  } catch {
    return undefined // bytes that are no text name nothing in Consul
  }
}
