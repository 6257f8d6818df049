import { describe, expect, it } from 'vitest'
import type { ReadyReport } from '../../../proxy-client/admin/ready.ts'
import { fleetReady, type ReadySlot } from '../../../proxy-client/workers/fleet-ready.ts'

const ready: ReadyReport = { ready: true, reasons: [] }
const unready: ReadyReport = {
  ready: false,
  reasons: [{ router: 'http', reason: 'no naming server has answered yet' }],
}

function slot(worker: number, report: ReadyReport | undefined, isStarted = true): ReadySlot {
  return { worker, link: { isStarted, ask: async () => report } }
}

describe('a proxy with workers', () => {
  it('is ready while one of them is away or starts, for the others have its connections', async () => {
    expect(await fleetReady([{ worker: 1, link: undefined }, slot(2, undefined, false), slot(3, ready)])).toEqual(ready)
  })

  it('is not ready when none serves', async () => {
    expect(await fleetReady([{ worker: 1, link: undefined }, slot(2, undefined, false)])).toEqual({
      ready: false,
      reasons: [{ reason: 'worker 1 is being started' }, { reason: 'worker 2 is being started' }],
    })
  })

  it('is not ready when one that has connections is not, or does not answer', async () => {
    expect(await fleetReady([slot(1, ready), slot(2, unready), slot(3, undefined)])).toEqual({
      ready: false,
      reasons: [
        { router: 'http', reason: 'worker 2: no naming server has answered yet' },
        { reason: 'worker 3 does not answer' },
      ],
    })
  })
})
