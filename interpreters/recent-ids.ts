// Equal ids as one array: a namer makes a new one for each answer, and very many names may be bound to the same id.
import { type Path, pathEquals } from '../naming/path.ts'

const maxIds = 4096

/** Holds ids given of late, one per last label; ids that do not come again are soon let go. */
export class RecentIds {
  #byLastLabel = new Map<string, Path>()

  /** An equal id given before, or this one. */
  shared(id: Path): Path {
    const last = id.at(-1) ?? ''
    const known = this.#byLastLabel.get(last)
    if (known !== undefined && pathEquals(known, id)) return known
    if (this.#byLastLabel.size >= maxIds) this.#byLastLabel.clear()
    this.#byLastLabel.set(last, id)
    return id
  }
}
