// From a path to what is asked of Kubernetes: namespace, port, service and perhaps a label's value. Asks nothing of a server.
import type { Path } from '../../naming/path.ts'

/** One name. Everything is lower case and could be a Kubernetes name. */
export interface ServiceName {
  readonly namespace: string
  readonly port: ServicePort
  readonly service: string
  /** What the label that the namer selects by must be. */
  readonly label?: string
}

/** By the name of a port, or by its number in the Service. */
export type ServicePort =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'number'; readonly number: number }

export interface ServicePathShape {
  /** Fixed by the configuration; absent when it is the first label of each path. */
  readonly namespace?: string
  /** Whether a label's value ends the name. */
  readonly hasLabel: boolean
}

const maxNameLength = 63
const maxPort = 65_535

/** The name at the start of `rest`, and its labels as they stand in the id; undefined when there can be no such name. */
export function serviceAt(
  rest: Path,
  { namespace: fixed, hasLabel }: ServicePathShape,
): { readonly name: ServiceName; readonly labels: Path } | undefined {
  const length = (fixed === undefined ? 3 : 2) + (hasLabel ? 1 : 0)
  if (rest.length < length) return undefined
  const labels = rest.slice(0, length).map(label => label.toLowerCase())
  const [namespace, portText, service, label] = fixed === undefined ? labels : [fixed, ...labels]
  if (!isName(namespace) || !isName(portText) || !isName(service)) return undefined
  const port = portFrom(portText)
  if (port === undefined) return undefined
  if (!hasLabel) return { name: { namespace, port, service }, labels }
  return isLabelValue(label) ? { name: { namespace, port, service, label }, labels } : undefined
}

/** A namespace, service or port: what RFC 1123 calls a label. */
export function isName(text: string | undefined): text is string {
  return text !== undefined && text.length <= maxNameLength && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(text)
}

function isLabelValue(text: string | undefined): text is string {
  return text !== undefined && text.length <= maxNameLength && /^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$/.test(text)
}

/** The name of a port has a letter, so digits alone are a number. */
function portFrom(text: string): ServicePort | undefined {
  if (!/^[0-9]+$/.test(text)) return { kind: 'name', name: text }
  const number = Number(text)
  return number >= 1 && number <= maxPort ? { kind: 'number', number } : undefined
}

/** What people see in lists, such as `prod/http/web`; equal only for equal names. */
export function showServiceName({ namespace, port, service, label }: ServiceName): string {
  const shown = `${namespace}/${port.kind === 'name' ? port.name : port.number}/${service}`
  return label === undefined ? shown : `${shown}/${label}`
}
