// What both ends of a Watch stream compare: one number over everything that has been said on it. It changes with each update
// by a few additions and does not depend on their order. Knows no stream and no message.
import type { Path } from '../naming/path.ts'
import type { Content, WireHash } from './updates.ts'

/** 32 bits that stand for an update: its hash, and whether it was stale; 0 where there was none. */
export type UpdateMark = number

/** 32 bits that stand for a name, by the key of its subscription, or for a replica set, by its id. */
export type ResourceMark = number

/** The mark of no update. */
export const noUpdate: UpdateMark = 0

const staleBits = 0x5bd1e995
/** Stands for an update whose own bits would be those of none. */
const instead = 1

/** The mark of an update with this hash. */
export function updateMark(hash: WireHash, isStale: boolean): UpdateMark {
  if (hash === '') return noUpdate
  const bits = hash.charCodeAt(0) | (hash.charCodeAt(1) << 8) | (hash.charCodeAt(2) << 16) | (hash.charCodeAt(3) << 24)
  return markOfBits(bits, isStale)
}

/** The same for the update that carries this content. */
export function contentMark(content: Content, isStale: boolean): UpdateMark {
  const bits = byteAt(content, 2) | (byteAt(content, 3) << 8) | (byteAt(content, 4) << 16) | (byteAt(content, 5) << 24)
  return markOfBits(bits, isStale)
}

function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0
}

function markOfBits(bits: number, isStale: boolean): UpdateMark {
  return (isStale ? bits ^ staleBits : bits) || instead
}

/** The mark of a resource: FNV-1a over the labels of an id, each ended by a step that no byte makes. */
export function resourceMark(resource: number | Path): ResourceMark {
  if (typeof resource === 'number') return resource | 0
  let mark = 0x811c9dc5
  for (const label of resource) {
    for (let i = 0; i < label.length; i++) mark = Math.imul(mark ^ label.charCodeAt(i), 0x01000193)
    mark = Math.imul(mark ^ 0x100, 0x01000193)
  }
  return mark | 0
}

/**
 * The digest of a stream, at each end: the sum over its resources of what stands for the resource with the last update of
 * it. A resource counts from its first update on this stream until it is given up: a name with its subscription, a replica
 * set when it is neither subscribed nor a leaf of the last tree of a subscribed name. An update that a client refuses
 * counts; one that confirms a content which the client does not hold does not.
 */
export class ContentDigest {
  #low = 0
  #high = 0

  /** Empty, or the same as another one is now. */
  constructor(like?: ContentDigest) {
    if (like === undefined) return
    this.#low = like.#low
    this.#high = like.#high
  }

  /** 53 bits, so that it is a whole number everywhere; 0 when nothing counts. */
  get value(): number {
    return (this.#high & 0x1fffff) * 0x1_0000_0000 + (this.#low >>> 0)
  }

  /** An update of the resource takes the place of the one before; noUpdate: the resource did not count, or does no more. */
  change(resource: ResourceMark, before: UpdateMark, after: UpdateMark): void {
    if (before === after) return
    if (before !== noUpdate) {
      this.#low = (this.#low - lowOf(resource, before)) | 0
      this.#high = (this.#high - highOf(resource, before)) | 0
    }
    if (after !== noUpdate) {
      this.#low = (this.#low + lowOf(resource, after)) | 0
      this.#high = (this.#high + highOf(resource, after)) | 0
    }
  }

  /** Nothing counts any more: a new stream begins. */
  clear(): void {
    this.#low = 0
    this.#high = 0
  }
}

/** The two halves together are another number for every pair: what each multiplies has an odd determinant. */
function lowOf(resource: ResourceMark, update: UpdateMark): number {
  return scatter(Math.imul(resource, 0x85ebca6b) + Math.imul(update, 0xc2b2ae35))
}

function highOf(resource: ResourceMark, update: UpdateMark): number {
  return scatter(Math.imul(resource, 0x27d4eb2e) + Math.imul(update, 0x165667b1) + 0x1b873593)
}

/** The last steps of MurmurHash3 (https://github.com/aappleby/smhasher): a bijection in which every bit moves every other. */
function scatter(value: number): number {
  let bits = value | 0
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return bits ^ (bits >>> 16)
}
