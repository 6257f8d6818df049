// Edits of the kernel, at least one per law, each of which must turn that law's check red.

export type Mutant = {
  readonly law: number
  /** A file of the watch folder. */
  readonly file: string
  /** Found there exactly once. */
  readonly from: string
  readonly to: string
}

export const mutants: readonly Mutant[] = [
  {
    law: 1,
    file: 'node.ts',
    from: '    core.delivery.deliver(subscription)',
    to: '    core.delivery.enqueue(subscription)',
  },
  { law: 2, file: 'derived.ts', from: 'const state = node.refresh()', to: 'const { state } = node' },
  { law: 3, file: 'delivery.ts', from: 'if (last !== undefined && node.isSame(last, state)) return', to: '' },
  { law: 4, file: 'node.ts', from: 'this.core.delivery.enqueue(watcher)', to: 'this.core.delivery.deliver(watcher)' },
  { law: 5, file: 'node.ts', from: 'if (!isObserved) this.activate()', to: 'this.activate()' },
  { law: 6, file: 'source.ts', from: 'clock.after(this.#lingerMs, shut)', to: 'clock.after(1, shut)' },
  { law: 7, file: 'source.ts', from: '      this.#cancelLinger()\n', to: '' },
  {
    law: 8,
    file: 'derived.ts',
    from: '    this.setState(this.run(',
    to: '    this.dropReads(undefined)\n    this.setState(this.run(',
  },
  { law: 9, file: 'delivery.ts', from: "    if (this.phase === 'ended') return\n", to: '' },
  { law: 10, file: 'delivery.ts', from: 'this.#options.onError(error, node.name)', to: 'throw error' },
  {
    law: 11,
    file: 'settable.ts',
    from: "if (last.kind !== 'ok') ",
    to: "if (last.kind !== 'ok' || last.kind === 'ok') ",
  },
  { law: 12, file: 'source-loop.ts', from: 'this.#cancelNext = clock.after(waitMs, this.#attempt)', to: '' },
  {
    law: 13,
    file: 'delivery.ts',
    from: '    if (this.#isFlushing) {',
    to: '    if (this.#isClosed) {',
  },
  {
    law: 14,
    file: 'derived.ts',
    from: 'if (node.isBusy) {',
    to: 'if (this.core.isClosed) {',
  },
  { law: 15, file: 'node.ts', from: "    signal?.addEventListener('abort', end, { once: true })\n", to: '' },
  { law: 16, file: 'derived.ts', from: '    this.dropReads(undefined)\n    this.release()', to: '    this.release()' },
  {
    law: 17,
    file: 'delivery.ts',
    from: '    if (this.#cursor >= this.#flush.length) {\n      this.#isFlushing = false',
    to: '    this.#isFlushing = false\n    if (this.#cursor >= this.#flush.length) {',
  },
  {
    law: 4,
    file: 'derived.ts',
    from: '    if (!link.source.isBusy && !this.hasChanged(link)) return',
    to: '    if (!link.source.isBusy) return',
  },
  { law: 14, file: 'derived.ts', from: 'for (const leaf of leavesOf(circle)) read(leaf)', to: '' },
  { law: 16, file: 'node.ts', from: 'this.home?.leave(this)', to: '' },
  { law: 16, file: 'source.ts', from: '    this.core.openSources.delete(this)\n', to: '' },
  {
    law: 11,
    file: 'settable.ts',
    from: "(this.state.kind === 'ok' ? this.state.stale?.since : undefined) ?? ",
    to: '',
  },
  { law: 2, file: 'derived.ts', from: 'maxRounds = 10', to: 'maxRounds = 1' },
]
