// The directories that are watched now, each once and only while somebody listens. Also watches the directories above, and
// those that hold symbolic links on the way, because a watch follows what it was opened on and not the path.
import { type DirectoryContext, type DirectoryListener, DirectoryWatch, type WatchMode } from './directory-watch.ts'

/** Leaves a directory; harmless when called twice. */
export type Leave = () => void

const maxLinks = 40

interface Open {
  readonly watch: DirectoryWatch
  readonly leaveOthers: () => void
}

export class DirectoryWatches {
  readonly #context: DirectoryContext
  readonly #root: string
  readonly #open = new Map<string, Open>()
  #isClosed = false

  /** Nothing is watched before the first join. `root` is absolute. */
  constructor(context: DirectoryContext, root: string) {
    this.#context = context
    this.#root = root
  }

  /** Listens to one name of a directory, or to all of it when `name` is undefined. */
  join(directory: string, name: string | undefined, listener: DirectoryListener): Leave {
    const { watch } = this.#open.get(directory) ?? this.#begin(directory)
    watch.add(name, listener)
    return () => {
      if (!watch.remove(name, listener) || this.#open.get(directory)?.watch !== watch) return
      this.#end(directory)
    }
  }

  /** How many directories are in a mode. */
  count(mode: WatchMode): number {
    let count = 0
    for (const { watch } of this.#open.values()) if (watch.mode === mode) count++
    return count
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  close(): void {
    this.#isClosed = true
    for (const directory of [...this.#open.keys()]) this.#end(directory)
  }

  #begin(directory: string): Open {
    const watch = new DirectoryWatch(this.#context, directory)
    const isBelowRoot = directory.startsWith(`${this.#root}/`)
    const leaveOthers = isBelowRoot ? this.#followParent(directory, watch) : this.#followLinks(directory, watch)
    const open = { watch, leaveOthers }
    this.#open.set(directory, open)
    return open
  }

  #end(directory: string): void {
    const open = this.#open.get(directory)
    this.#open.delete(directory)
    open?.watch.close()
    open?.leaveOthers()
  }

  #followParent(directory: string, watch: DirectoryWatch): Leave {
    const slash = directory.lastIndexOf('/')
    const inspection = inspectionOf(watch)
    // Another name beside it matters only where a link may lead through that name.
    const onNeighbour = (): void => {
      if (watch.mayBeLink) inspection.onNeighbour()
    }
    return this.join(directory.slice(0, slash), directory.slice(slash + 1), { ...inspection, onNeighbour })
  }

  /** Only the root can be reached through links that no other watch sees. */
  #followLinks(directory: string, watch: DirectoryWatch): Leave {
    if (directory !== this.#root) return () => {}
    const leaves: Leave[] = []
    let hasLeft = false
    const join = async (): Promise<void> => {
      const holders = await linkHolders(directory, path => this.#context.disk.linkTarget(path))
      if (hasLeft) return
      for (const holder of holders)
        if (holder !== directory) leaves.push(this.join(holder, undefined, inspectionOf(watch)))
      await watch.inspection.run()
    }
    join().catch((error: unknown) =>
      this.#context.log.warn({ err: error }, 'the links to the directory are only polled'),
    )
    return () => {
      hasLeft = true
      for (const leave of leaves.splice(0)) leave()
    }
  }
}

function inspectionOf(watch: DirectoryWatch): DirectoryListener {
  const { inspection } = watch
  return {
    onEvent: event => (event === 'rename' ? watch.replaced() : inspection.ask()),
    onNeighbour: () => inspection.ask(),
    rescan: () => inspection.run(),
  }
}

/** The directories that hold the symbolic links through which a path is reached. */
async function linkHolders(
  path: string,
  linkTarget: (path: string) => Promise<string | undefined>,
): Promise<ReadonlySet<string>> {
  const holders = new Set<string>()
  const labels = path
    .split('/')
    .filter(label => label !== '')
    .reverse()
  let at = ''
  let links = 0
  for (let label = labels.pop(); label !== undefined; label = labels.pop()) {
    if (label === '..') {
      at = at.slice(0, Math.max(0, at.lastIndexOf('/')))
      continue
    }
    const target = await linkTarget(`${at}/${label}`)
    if (target === undefined) {
      at = `${at}/${label}`
      continue
    }
    if (++links > maxLinks) return holders
    holders.add(at === '' ? '/' : at)
    if (target.startsWith('/')) at = ''
    labels.push(
      ...target
        .split('/')
        .filter(part => part !== '' && part !== '.')
        .reverse(),
    )
  }
  return holders
}
