// The names that the root directory shows, as one cell. A directory is one name; what begins with a dot is not shown.
import { NamingError } from '../../naming/errors.ts'
import { type Path, showPath } from '../../naming/path.ts'
import type { Cell, Kernel, Sink } from '../../watch/cell.ts'
import type { DirectoryWatches } from './directory-watches.ts'
import { type Disk, meansMissing, readablePath } from './disk.ts'
import { Repeater } from './repeater.ts'

export interface NamesContext {
  readonly kernel: Kernel
  readonly disk: Disk
  readonly directories: DirectoryWatches
  readonly root: string
  readonly prefix: Path
  readonly lingerMs: number
}

/** Sorted; open while somebody watches it. A root that is gone has no names. */
export function observeNames(context: NamesContext): Cell<readonly Path[]> {
  const { kernel, disk, directories, root, prefix, lingerMs } = context
  const list = async (sink: Sink<readonly Path[]>): Promise<void> => {
    try {
      const names = (await disk.list(root)).filter(name => !name.startsWith('.')).sort()
      if (directories.isClosed) return
      sink.set(names.map(name => [...prefix, name]))
    } catch (error) {
      if (meansMissing(error)) sink.set([])
      else sink.fail(unlistable(root, error))
    }
  }
  const open = (sink: Sink<readonly Path[]>): (() => void) => {
    const listing = new Repeater(
      () => list(sink),
      error => sink.fail(NamingError.from(error)),
    )
    const leave = directories.join(root, undefined, {
      onEvent: () => listing.ask(),
      onNeighbour: () => listing.ask(),
      rescan: () => listing.run(),
    })
    listing.ask()
    return leave
  }
  const options = { equals: sameNames, lingerMs, group: showPath(prefix) }
  return kernel.source(`fs names ${readablePath(root)}`, open, options)
}

function sameNames(a: readonly Path[], b: readonly Path[]): boolean {
  return a.length === b.length && a.every((path, i) => path.at(-1) === b[i]?.at(-1))
}

function unlistable(root: string, error: unknown): NamingError {
  const reason = error instanceof Error ? error.message : String(error)
  return new NamingError('namer-unavailable', `cannot list ${readablePath(root)}: ${reason}`, { cause: error })
}
