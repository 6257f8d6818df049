// The headers of an undici request in whichever of its forms, read and added to.
import type { Dispatcher } from 'undici'

type HeaderValue = string | string[] | undefined

/** Names and values in turn: those of the request but for `replaced`, in lower case, then those of `added`. */
export function withHeaders(
  headers: Dispatcher.DispatchOptions['headers'],
  replaced: ReadonlySet<string>,
  added: Readonly<Record<string, string>>,
): string[] {
  const list: HeaderValue[] = []
  for (const [name, value] of pairsOf(headers)) if (!replaced.has(name.toLowerCase())) list.push(name, value)
  for (const [name, value] of Object.entries(added)) list.push(name, value)
  return list as string[] // undici takes a list as a value too, though its type does not say so
}

/** The first value of a name in lower case. */
export function headerOf(headers: Dispatcher.DispatchOptions['headers'], lowerName: string): string | undefined {
  for (const [name, value] of pairsOf(headers))
    if (name.toLowerCase() === lowerName) return Array.isArray(value) ? value[0] : value
  return undefined
}

function* pairsOf(headers: Dispatcher.DispatchOptions['headers']): Iterable<readonly [string, HeaderValue]> {
  if (headers === null || headers === undefined) return
  if (Array.isArray(headers)) {
    for (let i = 0; i + 1 < headers.length; i += 2) yield [String(headers[i]), headers[i + 1]]
  } else if (Symbol.iterator in headers) yield* headers
  else
    for (const [name, value] of Object.entries(headers)) yield [name, typeof value === 'number' ? String(value) : value]
}
