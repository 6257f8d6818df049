// Watch clients in a process of their own, which can be frozen: each follows names of `default` whose rules lead to an address
// that tells the version. Started as a program it serves its parent; asked over IPC it tells what each client holds.

import { createWatchClient } from '../../proxy-client/watch/watch-client.ts'
import { silentLog } from '../../runtime/log.ts'
import { systemClock, systemRandom } from '../../watch/clock.ts'
import { createKernel } from '../../watch/kernel.ts'
import { Command } from '../e2e/process.fixture.ts'

interface Order {
  readonly addresses: readonly string[]
  readonly ids: readonly string[]
  readonly names: number
}

/** The rules of a version: every name leads to a port that is the version's number. */
export function rulesOf(version: number): string {
  return `/svc => /$/inet/127.0.0.1/${version}`
}

/** Version by the least of the names of each client; 0 while one is not there. */
type Held = readonly (readonly [id: string, version: number])[]

/** The parent's side. */
export class WatchProxies extends Command {
  constructor(order: Order) {
    super([import.meta.filename, JSON.stringify(order)])
  }

  /** What each client holds at this moment. */
  held(): Promise<ReadonlyMap<string, number>> {
    return new Promise(resolve => {
      this.child.once('message', (held: Held) => resolve(new Map(held)))
      this.child.send('held')
    })
  }

  freeze(): void {
    this.child.kill('SIGSTOP')
  }

  resume(): void {
    this.child.kill('SIGCONT')
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL')
    await this.finished
  }
}

function serve({ addresses, ids, names }: Order): void {
  const kernel = createKernel({ clock: systemClock, onError: (error, where) => console.error(where, error) })
  const env = { kernel, clock: systemClock, random: systemRandom, log: silentLog }
  const clients = ids.map(id => {
    const client = createWatchClient({ ...env, addresses, clientId: id })
    const versions = Array.from({ length: names }, () => 0)
    for (const index of versions.keys()) {
      client.bind({ namespace: 'default', path: ['svc', `n${index}`] }).watch(state => {
        if (state.kind === 'ok' && state.value.kind === 'leaf') versions[index] = Number(state.value.value.id[3])
      })
    }
    return { id, versions }
  })
  process.on('message', () => {
    const held: Held = clients.map(({ id, versions }) => [id, Math.min(...versions)])
    process.send?.(held)
  })
}

const [, program, order] = process.argv
if (program === import.meta.filename && order !== undefined) serve(JSON.parse(order) as Order) // our own parent's
