// What `npm run backends` was asked for, read from its arguments.
import { type AnyBackend, backends, type SystemTool, systemTools } from './catalogue.ts'

/** What to bring about: programs to find or make, and Debian's tools. */
export interface InstallRequest {
  readonly kind: 'install'
  readonly backends: readonly AnyBackend[]
  readonly tools: readonly SystemTool[]
}

export type Request =
  | InstallRequest
  | { readonly kind: 'help' }
  | { readonly kind: 'list' }
  | { readonly kind: 'unknown'; readonly words: readonly string[] }

/** No name means all of them. Backends keep the order of the catalogue, whatever the order of the names. */
export function parseRequest(words: readonly string[]): Request {
  if (words.includes('--help') || words.includes('-h')) return { kind: 'help' }
  const tools = systemTools.map(({ command }) => command)
  const names: readonly string[] = [...backends.map(({ name }) => name), ...tools]
  const unknown = words.filter(word => word !== '--list' && !names.includes(word))
  if (unknown.length > 0) return { kind: 'unknown', words: unknown }
  if (words.includes('--list')) return { kind: 'list' }
  const isWanted = (name: string): boolean => words.length === 0 || words.includes(name)
  return { kind: 'install', backends: backends.filter(({ name }) => isWanted(name)), tools: tools.filter(isWanted) }
}
