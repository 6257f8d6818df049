// One directory in memory whose times of modification never move, and whose events come only when a test sends them.
import type { Disk, DiskEvent, Reading } from '../../../interpreters/fs/disk.ts'
import type { FakeClock } from '../../fakes/clock.fake.ts'

export const fakeRoot = '/disco'

export class FakeDisk implements Disk {
  readonly tellsWrites = true
  /** Text by name; absent names do not exist. */
  readonly files = new Map<string, string>()
  /** What every file's links lead through; absent when the files are no links. */
  linksVia: readonly string[] | undefined
  /** No file can be read. */
  isFailing = false
  reads = 0
  watchesOpened = 0
  #onEvent: ((event: DiskEvent, name?: string) => void) | undefined

  constructor(files: Readonly<Record<string, string>>) {
    for (const [name, text] of Object.entries(files)) this.files.set(name, text)
  }

  /** Sends an event; without a name anything may have happened. */
  tell(event: DiskEvent, name?: string): void {
    this.#onEvent?.(event, name)
  }

  watch(_directory: string, onEvent: (event: DiskEvent, name?: string) => void): () => void {
    this.watchesOpened++
    this.#onEvent = onEvent
    return () => {
      this.#onEvent = undefined
    }
  }

  async read(path: string): Promise<Reading> {
    this.reads++
    const text = this.files.get(path.slice(fakeRoot.length + 1))
    if (text === undefined) return { kind: 'missing', isLink: false }
    if (this.isFailing) return { kind: 'unreadable', isLink: false, error: new Error('EIO: i/o error') }
    const file = { kind: 'file', text, realPath: path, modifiedAt: 0 } as const
    return this.linksVia === undefined ? { ...file, isLink: false } : { ...file, isLink: true, via: this.linksVia }
  }

  identitySync = (): string => fakeRoot
  identity = async (): Promise<string> => fakeRoot
  linkTarget = async (): Promise<undefined> => undefined
  list = async (): Promise<readonly string[]> => [...this.files.keys()]
}

/** Lets promises and what they defer come to rest. */
export async function settle(clock: FakeClock): Promise<void> {
  for (let i = 0; i < 20; i++) {
    await Promise.resolve()
    clock.settle()
  }
}
