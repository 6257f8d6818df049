// The fs namer under the laws that every namer keeps, on real files.
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { NamerLeaf } from '../../../interpreters/namer.ts'
import type { NameTree } from '../../../naming/name-tree.ts'
import type { ReplicaSet } from '../../../naming/replica-set.ts'
import type { State } from '../../../watch/state.ts'
import { type NamerFixture, namerContract } from '../../contract/namer.contract.ts'
import { createFsFixture, type FsFixture, isNeg, type Observed } from './fs.fixture.ts'

type Expected = (state: State<ReplicaSet>) => boolean

const isGood: Expected = state => state.kind === 'ok' && state.value.kind === 'bound' && state.stale === undefined
const isBad: Expected = state => state.kind === 'failed' || (state.kind === 'ok' && state.stale !== undefined)
const isAnswered = (state: State<unknown>): boolean => state.kind !== 'pending'

/** Watches the same cells as the laws do: once its own watchers have seen the change, theirs have. */
class FsLaws {
  readonly #fs: FsFixture = createFsFixture()
  #expected: Expected = isGood
  #replicas: Observed<ReplicaSet> | undefined
  #others: Observed<NameTree<NamerLeaf> | ReplicaSet>[] = []

  constructor() {
    this.#write('10.0.0.1 80\n')
  }

  get fixture(): NamerFixture {
    const { namer, kernel } = this.#fs
    return {
      namer,
      kernel,
      known: ['web'],
      unknown: ['none'],
      misshapen: ['..', 'web'],
      settle: () => this.#settle(),
      setKnown: exists =>
        this.#change(exists ? isGood : isNeg, () => (exists ? this.#write('10.0.0.1 80\n') : this.#remove())),
      setFailing: isFailing =>
        this.#change(isFailing ? isBad : isGood, () =>
          this.#write(isFailing ? 'no endpoint at all\n' : '10.0.0.1 80\n'),
        ),
      opened: () => kernel.counts().openSources,
      passLinger: async () => {
        for (const observed of [...this.#others, this.#replicas]) observed?.stop()
        while (kernel.counts().openSources > 0) await nextTurn()
      },
      dispose: async () => {},
    }
  }

  async #change(expected: Expected, change: () => void): Promise<void> {
    this.#expected = expected
    change()
    if (this.#replicas !== undefined) await this.#settle()
  }

  async #settle(): Promise<void> {
    this.#replicas ??= this.#fs.replicas('/web')
    if (this.#others.length === 0)
      this.#others = [this.#fs.tree('/web'), this.#fs.tree('/none'), this.#fs.replicas('/none')]
    await this.#replicas.until(this.#expected)
    for (const observed of this.#others) await observed.until(isAnswered)
  }

  /** By rename, so that it is published at once. */
  #write(text: string): void {
    writeFileSync(this.#fs.at('.new'), text)
    renameSync(this.#fs.at('.new'), this.#fs.at('web'))
  }

  #remove(): void {
    rmSync(this.#fs.at('web'))
  }
}

namerContract('fs', async () => new FsLaws().fixture)
