// The inet namers over a hosts file and DNS that the test rules, and a clock that stands still.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createInetNamers } from '../../../interpreters/inet/index.ts'
import type { Namer } from '../../../interpreters/namer.ts'
import type { ReplicaSet } from '../../../naming/replica-set.ts'
import type { Kernel } from '../../../watch/cell.ts'
import { createKernel } from '../../../watch/kernel.ts'
import type { State } from '../../../watch/state.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { FakeHostResolver } from '../../fakes/host-resolver.fake.ts'
import { pathOf } from '../world.fixture.ts'

/** Turns in which every promise of the fakes has settled. */
const turnsForPromises = 5

export class InetWorld {
  readonly clock = new FakeClock()
  readonly resolver = new FakeHostResolver()
  readonly kernel: Kernel = createKernel({
    clock: this.clock,
    onError: error => {
      throw error
    },
  })
  /** Undefined: there is no such file. An error: it cannot be read. */
  hosts: string | Error | undefined = ''
  readonly namers = createInetNamers({
    kernel: this.kernel,
    clock: this.clock,
    resolver: this.resolver,
    hostsFile: {
      path: '/test/hosts',
      stamp: async () => (this.hosts instanceof Error ? 'broken' : this.hosts),
      read: async () => {
        if (typeof this.hosts !== 'string') throw this.hosts ?? new Error('there is no file')
        return this.hosts
      },
    },
  })

  namer(className: string): Namer {
    const found = this.namers.find(namer => namer.prefix[1] === className)
    if (found === undefined) throw new Error(`no namer ${className}`)
    return found
  }

  /** The states of an id's endpoints, from now on. */
  replicas(id: string): State<ReplicaSet>[] {
    const path = pathOf(id)
    const seen: State<ReplicaSet>[] = []
    this.namer(path[1] ?? '')
      .replicas(path)
      .watch(state => seen.push(state))
    return seen
  }

  /** Until the file is read, questions are answered and states delivered. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < turnsForPromises; turn++) {
      await nextTurn()
      this.clock.settle()
    }
  }

  async pass(ms: number): Promise<void> {
    this.clock.advance(ms)
    await this.settle()
  }

  dispose(): void {
    this.kernel.close()
  }
}

/** The addresses in a state, or what else it is. */
export function addressesOf(state: State<ReplicaSet> | undefined): string {
  if (state?.kind !== 'ok') return state?.kind ?? 'nothing'
  const stale = state.stale === undefined ? '' : ' (stale)'
  if (state.value.kind === 'neg') return `neg${stale}`
  return `${state.value.endpoints.map(({ address, port }) => `${address}|${port}`).join(' ')}${stale}`
}
