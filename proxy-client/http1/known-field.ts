// Tells the fields that the proxy acts on by the bytes of their names, without making a string of each.
import { Field, fieldNames } from './fields.ts'
import { lowerBytes } from './octets.ts'

interface Candidate {
  readonly name: Uint8Array
  readonly bit: number
  readonly next: Candidate | undefined
}

const longestName = Math.max(...Object.keys(fieldNames).map(name => name.length))

/** By length and the low bits of the first letter: few other names share a slot with a known one. */
const slots: (Candidate | undefined)[] = new Array((longestName + 1) << 5).fill(undefined)

function slotOf(length: number, firstByte: number): number {
  return (length << 5) | (firstByte & 0x1f)
}

for (const [text, bit] of Object.entries(fieldNames)) {
  const name = Buffer.from(text, 'latin1')
  const slot = slotOf(name.length, name[0] ?? 0)
  slots[slot] = { name, bit, next: slots[slot] }
}

const ourPrefix = Buffer.from('l5d-', 'latin1')
const contextPrefix = Buffer.from('l5d-ctx-', 'latin1')

function startsWith(bytes: Uint8Array, start: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) {
    if (lowerBytes[bytes[start + i] ?? 0] !== name[i]) return false
  }
  return true
}

/** The bit in `Field` of the name that lies from `start` to `end`, 0 when it has none. */
export function knownField(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start
  const first = bytes[start] ?? 0
  if (length <= longestName) {
    let candidate = slots[slotOf(length, first)]
    while (candidate !== undefined) {
      if (startsWith(bytes, start, candidate.name)) return candidate.bit
      candidate = candidate.next
    }
  }
  return (first | 0x20) === 0x6c ? prefixedField(bytes, start, length) : 0
}

function prefixedField(bytes: Uint8Array, start: number, length: number): number {
  if (length < ourPrefix.length || !startsWith(bytes, start, ourPrefix)) return 0
  return length >= contextPrefix.length && startsWith(bytes, start, contextPrefix) ? Field.otherContext : Field.otherL5d
}
