// A cheap number per dentry by which equal ones are found. Equal dentries have equal digests; the reverse must be checked.
import type { Dentry } from './dtab.ts'
import type { NameTree } from './name-tree.ts'
import type { Path } from './path.ts'

const seed = 0x811c9dc5
const prime = 0x01000193

/** Digest of one more small number. */
function mix(digest: number, value: number): number {
  return Math.imul(digest ^ value, prime)
}

function mixLabels(before: number, labels: readonly (string | null)[]): number {
  let digest = before
  for (const label of labels) {
    digest = mix(digest, label === null ? 0x102 : 0x101)
    if (label === null) continue
    for (let i = 0; i < label.length; i++) digest = mix(digest, label.charCodeAt(i))
  }
  return digest
}

const kindValues = { neg: 0x110, fail: 0x111, empty: 0x112, leaf: 0x113, alt: 0x114, union: 0x115 } as const

/** A 32-bit digest of prefix and tree. Depth costs no stack. */
export function dentryDigest(dentry: Dentry): number {
  let digest = mixLabels(seed, dentry.prefix)
  const pending: NameTree<Path>[] = [dentry.dst]
  for (let tree = pending.pop(); tree !== undefined; tree = pending.pop()) {
    digest = mix(digest, kindValues[tree.kind])
    if (tree.kind === 'leaf') digest = mixLabels(digest, tree.value)
    else if (tree.kind === 'alt') for (const child of tree.trees) pending.push(child)
    else if (tree.kind === 'union') for (const branch of tree.branches) pending.push(branch.tree)
  }
  return digest
}
