// Bound trees, explanations and addresses as indented lines.
import type { Addr, TreeAnswer } from './answers.ts'
import type { Paint } from './styles.ts'

/** `10.0.0.1:80`, with ` * 0.5` when its weight is not 1. */
export function endpointTexts(addr: Addr): string[] {
  return (addr.addrs ?? []).map(({ ip, port, meta }) => {
    const weight = meta.endpoint_addr_weight
    const shown = ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`
    return weight === undefined || weight === 1 ? shown : `${shown} * ${weight}`
  })
}

/** What is known of an id's endpoints, in a few words. */
export function addrText(addr: Addr): string {
  switch (addr.type) {
    case 'bound':
      return addr.addrs?.length ? endpointTexts(addr).join(' ') : 'no endpoints'
    case 'neg':
      return 'no such id'
    case 'pending':
      return 'endpoints not known yet'
    case 'failed':
      return `failed: ${addr.cause ?? 'no reason given'}`
  }
}

/** A binding: one line per leaf, weights in front. */
export function boundLines(tree: TreeAnswer): string[] {
  return [...nodeLines(tree, { depth: 0, prefix: '', rule: '', isTaken: false })].map(({ text }) => text)
}

/**
 * An explanation: each step one level deeper than what led to it, a dentry in parentheses where it comes into play. `>` marks the lines that
 * the name takes now.
 */
export function explanationLines(tree: TreeAnswer, paint: Paint): string[] {
  return [...nodeLines(tree, { depth: 0, prefix: '', rule: '', isTaken: true })].map(({ text, isTaken }) =>
    isTaken ? paint('bold', `> ${text}`) : paint('dim', `  ${text}`),
  )
}

interface Place {
  readonly depth: number
  /** Before the node's own text: a weight. */
  readonly prefix: string
  /** The rule that the lines above have named already. */
  readonly rule: string
  readonly isTaken: boolean
}

interface NodeLine {
  readonly text: string
  readonly isTaken: boolean
}

function* nodeLines(node: TreeAnswer, place: Place): Generator<NodeLine> {
  const { depth, prefix, isTaken } = place
  const rule = node.dentry === undefined ? place.rule : `${node.dentry.prefix} => ${node.dentry.dst}`
  const why = rule === place.rule ? '' : `  (${rule})`
  yield { text: `${'  '.repeat(depth)}${prefix}${headOf(node)}${why}`, isTaken }
  const below = (tree: TreeAnswer, taken: boolean, weight = ''): Generator<NodeLine> =>
    nodeLines(tree, { depth: depth + 1, prefix: weight, rule, isTaken: isTaken && taken })
  const next = node.delegate ?? node.tree
  if (next !== undefined) yield* below(next, true)
  const first = node.alt?.findIndex(tree => !isNegative(tree)) ?? -1
  for (const [index, tree] of (node.alt ?? []).entries()) yield* below(tree, index === first)
  for (const { weight, tree } of node.union ?? []) yield* below(tree, !isNegative(tree), `${weight} * `)
}

function headOf(node: TreeAnswer): string {
  const path = node.path === undefined ? '' : `${node.path}: `
  switch (node.type) {
    case 'leaf':
      return `${pathUnlessId(node)}${leafText(node)}`
    case 'delegate':
      return node.path ?? ''
    case 'alt':
      return `${path}the first of`
    case 'union':
      return `${path}split by weight`
    case 'transformation':
      return `${path}transformed by ${node.name ?? 'a transformer'}`
    case 'exception':
      return `${path}error: ${node.message ?? 'no reason given'}`
    default:
      return `${node.path === '~' || node.path === '!' ? '' : path}${emptyHandedText(node)}`
  }
}

const emptyHanded: Readonly<Record<string, string>> = {
  neg: '~ no such name',
  fail: '! refused',
  empty: '$ no endpoints',
}

function emptyHandedText({ type, why }: TreeAnswer): string {
  return type === 'neg' && why !== undefined ? `~ ${why}` : (emptyHanded[type] ?? type)
}

function pathUnlessId({ path, bound }: TreeAnswer): string {
  return path === undefined || path === bound?.id ? '' : `${path}: `
}

function leafText({ bound }: TreeAnswer): string {
  if (bound === undefined) return 'bound'
  const residual = bound.path === '/' ? '' : `, residual ${bound.path}`
  return `${bound.id}${residual}: ${addrText(bound.addr)}`
}

/** Whether a lookup goes on to the next alternative here. */
function isNegative(node: TreeAnswer): boolean {
  if (node.type === 'neg') return true
  if (node.alt !== undefined) return node.alt.every(isNegative)
  if (node.union !== undefined) return node.union.every(({ tree }) => isNegative(tree))
  const next = node.delegate ?? node.tree
  return next !== undefined && isNegative(next)
}
