// Servers on one fake cluster whose every step comes when a fast-check scheduler says so, and who may lose answers or die.
import type { Scheduler } from 'fast-check'
import type { ClusterLoad } from '../../../clients/kubernetes/cluster.ts'
import { silentLog } from '../../../runtime/log.ts'
import { ConfigMapBackend } from '../../../storage/configmap/configmap-backend.ts'
import { createSharedStore } from '../../../storage/shared/shared-store.ts'
import type { Store } from '../../../storage/store.ts'
import type { Clock } from '../../../watch/clock.ts'
import type { FakeKubernetesStore } from '../../fakes/kubernetes-store.fake.ts'
import { testEnv } from '../store.fixture.ts'

/** At which of its calls a server dies, loses the answer, or stands still while others go on. */
export interface Mishaps {
  readonly diesAt?: number
  readonly losesAt?: number
  readonly stallsAt?: number
}

const noLoad: ClusterLoad = { collections: 0, objects: 0, lists: 0, watches: 0, drift: 0 }

const stalledSteps = 40

/** Lets this many things happen before. */
export async function steps(scheduler: Scheduler, count: number): Promise<void> {
  for (let step = 0; step < count; step++) await scheduler.schedule(Promise.resolve(), 'standing still')
}

/** What waits for longer is never woken: nothing of what is tried here hangs on it. */
const longestWaitMs = 1_000

/** Time goes by as what waits is woken, in any order. */
function scheduledClock(scheduler: Scheduler): Clock {
  let now = 1_700_000_000_000
  const wake = (ms: number, run: () => void): (() => void) => {
    if (ms > longestWaitMs) return () => {}
    let isOver = false
    void scheduler.schedule(Promise.resolve(), 'a timer').then(() => {
      if (isOver) return
      now += ms
      run()
    })
    return () => {
      isOver = true
    }
  }
  return { now: () => now, monotonic: () => now, after: wake, defer: run => wake(0, run) }
}

export function createServer(cluster: FakeKubernetesStore, scheduler: Scheduler, mishaps: Mishaps): Store {
  let calls = 0
  const objects = cluster.connect(async (when, call) => {
    await scheduler.schedule(Promise.resolve(), `${when} ${call}`)
    if (when === 'before') calls++
    if (when === 'before' && calls === mishaps.stallsAt) await steps(scheduler, stalledSteps)
    if (mishaps.diesAt !== undefined && calls >= mishaps.diesAt) throw new Error('this server is dead')
    if (when === 'after' && calls === mishaps.losesAt) throw new Error('the answer was lost')
  })
  const clock = scheduledClock(scheduler)
  const backend = new ConfigMapBackend({
    kind: 'configMap',
    cluster: {
      objects,
      follow: () => () => {},
      get: () => Promise.reject(new Error('not asked for')),
      load: () => noLoad,
      close: () => {},
    },
    kubernetesNamespace: 'place',
    clock,
    log: silentLog,
  })
  return createSharedStore(backend, testEnv(clock))
}
