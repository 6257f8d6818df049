// C5: a server starts before its shared store does. What it does not know it says so, never that it is absent, and it
// recovers by itself.
import { expect, it } from 'vitest'
import { codeOf, request } from '../contract/store.contract.ts'
import { openSharedRig } from '../storage/shared/shared-store.fixture.ts'

it.each(['is away', 'hangs'])(
  'C5: while the backend %s at the start nothing is said to be absent, and all is there once it is',
  async how => {
    const rig = openSharedRig({ servers: 2 })
    const { backend, store } = rig
    await rig.servers[1]?.store.write(request('web', '/a=>/b'))
    if (how === 'is away') backend.down()
    else backend.isHanging = backend.isDown = true
    const cells = [store.observe('web'), store.observe('nobody'), store.list(), store.refusals()]
    const states: string[][] = cells.map(() => [])
    for (const [i, cell] of cells.entries()) cell.watch(state => void states[i]?.push(state.kind))
    const head = codeOf(store.head('web'))
    await rig.pass(120_000)
    expect(await head).toBe('store-unavailable')
    expect(states.flat()).not.toContain('ok')
    expect(cells.map(cell => cell.peek().kind)).toEqual(['failed', 'failed', 'failed', 'failed'])
    backend.up()
    await rig.pass(15_000)
    expect(cells.map(cell => cell.peek())).toMatchObject([
      { kind: 'ok', value: { version: 1, text: '/a=>/b' } },
      { kind: 'ok', value: undefined },
      { kind: 'ok', value: [{ namespace: 'web', version: 1 }] },
      { kind: 'ok', value: [] },
    ])
    expect(cells.every(cell => !('stale' in cell.peek()))).toBe(true)
    await rig.close()
  },
)

it('C5: making a store asks nothing of the backend', async () => {
  const rig = openSharedRig()
  await rig.pass(10_000)
  expect(rig.backend.calls.size).toBe(0)
  expect(rig.backend.follows).toBe(0)
  await rig.close()
})
