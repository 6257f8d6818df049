// S5: ten thousand namespaces are observed and left while the backend restarts again and again. One follow is open at a time,
// and nothing of it is left afterwards.
import { expect, it } from 'vitest'
import { request } from '../contract/store.contract.ts'
import { openSharedRig } from '../storage/shared/shared-store.fixture.ts'

it('S5: follows, reads and timers return to what they were after 10,000 observers came and went over restarts', async () => {
  const rig = openSharedRig()
  const { store, backend, clock } = rig
  const [server] = rig.servers
  for (let i = 0; i < 100; i++) await store.write(request(`n${i}`, '/a=>/b'))
  const waiting = clock.waiting
  let stops: (() => void)[] = []
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < 1_000; i++) stops.push(store.observe(`n${i}`).watch(() => {}))
    stops.push(
      store.list().watch(() => {}),
      store.presence().watch(() => {}),
    )
    await rig.pass(0)
    backend.down()
    const reads = Array.from({ length: 100 }, (_, i) => store.head(`n${i}`).catch(() => undefined))
    await rig.pass(500)
    expect(backend.follows).toBe(1)
    for (const stop of stops.splice(0, 600)) stop()
    backend.up()
    await Promise.all(reads)
    await rig.pass(250)
  }
  for (const stop of stops) stop()
  stops = []
  await rig.pass(15_000)
  expect(backend.follows).toBe(0)
  expect(server?.env.kernel.counts()).toMatchObject({ openSources: 0, watchers: 0 })
  expect(clock.waiting).toBe(waiting)
  const quiet = backend.count('readHead')
  await rig.pass(30_000)
  expect(backend.count('readHead')).toBe(quiet)
  await rig.close()
})
