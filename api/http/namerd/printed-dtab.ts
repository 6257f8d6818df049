// A stored dtab as namerd shows it: Finagle's text, or JSON with Finagle's texts inside.
import { orThrow } from '../../../naming/result.ts'
import type { Codec } from '../codec.ts'
import { jsonType } from '../media-type.ts'

/** Without the newline. Rejects with store-corrupt when the text does not parse. */
export async function printedDtab(codec: Codec, text: string, type: string): Promise<string> {
  return orThrow(await codec.print(text, type === jsonType ? 'shown-json' : 'shown-text')).text
}
