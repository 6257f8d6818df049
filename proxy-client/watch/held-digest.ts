// The digest of what a stream has said, as its client has it. Changes are gathered and counted when it is asked for. Knows no
// stream.
import { ContentDigest, resourceMark, type UpdateMark } from '../../proto/content-digest.ts'
import type { WireResource } from '../../proto/watch-requests.ts'

/** What counts in a digest. */
export interface Digested {
  readonly resource: WireResource
  /** What stands for it now. */
  readonly mark: UpdateMark
  /** What stands for it in the digest; owned by the digest. */
  digested: UpdateMark
}

export class HeldDigest {
  readonly #digest = new ContentDigest()
  readonly #changed = new Set<Digested>()

  /** Another mark may stand for it. */
  changed(held: Digested): void {
    if (held.mark !== held.digested) this.#changed.add(held)
  }

  get value(): number {
    for (const held of this.#changed) {
      const { mark } = held
      this.#digest.change(resourceMark(held.resource), held.digested, mark)
      held.digested = mark
    }
    this.#changed.clear()
    return this.#digest.value
  }
}
