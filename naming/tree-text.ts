// Writing name trees as text: operators and parentheses, for any spelling of leaves and weights.
import { foldNameTree } from './fold.ts'
import type { NameTree } from './name-tree.ts'

/** How leaves and weights are spelt. */
export interface Spelling<L> {
  readonly leaf: (value: L) => string
  readonly weight: (weight: number) => string
}

/** Text of a subtree and how loosely its outermost operator binds. */
interface Piece {
  readonly text: string
  readonly binding: 'simple' | 'union' | 'alt'
}

const markText = { neg: '~', fail: '!', empty: '$' } as const

function parenthesised(piece: Piece): string {
  return `(${piece.text})`
}

/** Unlike `join` it copies nothing yet, so that the text of a deep tree is not copied once per level. */
function concatenate(texts: readonly string[], separator: string): string {
  let whole = ''
  for (const [index, text] of texts.entries()) whole += index === 0 ? text : separator + text
  return whole
}

function writeAlt(parts: readonly Piece[]): Piece {
  const [only] = parts
  if (only === undefined) return { text: markText.neg, binding: 'simple' }
  if (parts.length === 1) return only
  return {
    text: concatenate(
      parts.map(part => (part.binding === 'alt' ? parenthesised(part) : part.text)),
      ' | ',
    ),
    binding: 'alt',
  }
}

function writeUnion(parts: readonly Piece[], weights: readonly number[], spell: (weight: number) => string): Piece {
  const [only] = parts
  if (only === undefined) return { text: markText.neg, binding: 'simple' }
  if (parts.length === 1) return only
  const texts = parts.map((part, index) => {
    const weight = weights[index] ?? 1
    const text = part.binding === 'simple' ? part.text : parenthesised(part)
    return weight === 1 ? text : `${spell(weight)}*${text}`
  })
  return { text: concatenate(texts, ' & '), binding: 'union' }
}

function isSimple<L>(tree: NameTree<L>): boolean {
  return tree.kind !== 'alt' && tree.kind !== 'union'
}

function writeSimple<L>(tree: NameTree<L>, spelling: Spelling<L>): string {
  if (tree.kind === 'leaf') return spelling.leaf(tree.value)
  return tree.kind === 'alt' || tree.kind === 'union' ? markText.neg : markText[tree.kind]
}

/** The most frequent trees, a term or alternative terms, need no fold. */
function writeFlat<L>(tree: NameTree<L>, spelling: Spelling<L>): string | undefined {
  if (isSimple(tree)) return writeSimple(tree, spelling)
  if (tree.kind !== 'alt' || tree.trees.length === 0 || !tree.trees.every(isSimple)) return undefined
  return concatenate(
    tree.trees.map(child => writeSimple(child, spelling)),
    ' | ',
  )
}

/** Text of a tree. A node with one child reads as the child, one with none as `~`. Depth costs no stack. */
export function writeNameTree<L>(tree: NameTree<L>, spelling: Spelling<L>): string {
  const flat = writeFlat(tree, spelling)
  if (flat !== undefined) return flat
  return foldNameTree<L, Piece>(tree, {
    leaf: value => ({ text: spelling.leaf(value), binding: 'simple' }),
    mark: kind => ({ text: markText[kind], binding: 'simple' }),
    alt: writeAlt,
    union: (parts, weights) => writeUnion(parts, weights, spelling.weight),
  }).text
}
