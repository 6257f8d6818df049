// One cell of a store that may be silent, slow, or broken in one place only.
import { beforeEach, describe, expect, it } from 'vitest'
import { NamingError } from '../../../naming/errors.ts'
import { silentLog } from '../../../runtime/log.ts'
import { Outage } from '../../../storage/snapshot/outage.ts'
import { openWarmCell, silenceMs, slownessMs } from '../../../storage/snapshot/warm-cell.ts'
import type { Kernel, Sink } from '../../../watch/cell.ts'
import { createKernel } from '../../../watch/kernel.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { realTurn, turnUntil } from '../store.fixture.ts'

let clock: FakeClock
let kernel: Kernel
let outage: Outage
let loads: number
beforeEach(() => {
  clock = new FakeClock()
  kernel = createKernel({ clock, onError: error => expect.unreachable(String(error)) })
  outage = new Outage({ store: 'fake', clock, log: silentLog })
  loads = 0
})

interface Opened {
  /** The store's answer to this cell. */
  readonly store: Sink<string>
  readonly seen: string[]
  until(text: string): Promise<void>
}

/** Of each the disk holds `saved`. */
function open(name: string): Opened {
  const store = kernel.input<string>(`store ${name}`)
  const seen: string[] = []
  const cell = kernel.source<string>(name, sink =>
    openWarmCell({
      clock,
      outage,
      cell: store,
      sink,
      load: async () => {
        loads++
        return { value: 'saved', savedAt: 1 }
      },
      record: () => {},
    }),
  )
  cell.watch(state => seen.push(state.kind === 'ok' ? `${state.value}${state.stale ? ' (stale)' : ''}` : state.kind))
  return { store, seen, until: text => turnUntil(clock, text, () => seen.at(-1) === text) }
}

const refused = new NamingError('store-unavailable', 'connection refused')

describe('a store that is away', () => {
  it('is not waited for where it refuses, nor by others that wait', async () => {
    const [first, second] = [open('a'), open('b')]
    first.store.fail(refused)
    await first.until('saved (stale)')
    await second.until('saved (stale)')
    expect(clock.monotonic()).toBe(new FakeClock().monotonic())
  })

  it('is told once, in whatever words it fails from then on, until it answers', async () => {
    const cell = open('a')
    cell.store.fail(refused)
    await cell.until('saved (stale)')
    for (const why of ['no leader', 'timeout']) {
      cell.store.fail(new NamingError('store-unavailable', why))
      clock.advance(1_000)
    }
    cell.store.set('fresh')
    await cell.until('fresh')
    expect(cell.seen).toEqual(['pending', 'saved (stale)', 'fresh'])
  })

  it('lets thousands fall back over several turns', async () => {
    const cells = Array.from({ length: 1_000 }, (_, n) => open(`${n}`))
    const perTurn: number[] = []
    const count = (): void => {
      perTurn.push(loads - perTurn.reduce((a, b) => a + b, 0))
      if (perTurn.length < 50) clock.defer(count)
    }
    clock.defer(count)
    cells[0]?.store.fail(refused)
    await cells.at(-1)?.until('saved (stale)')
    expect(Math.max(...perTurn)).toBeLessThan(500)
    expect(loads).toBe(1_000)
  })
})

describe('a store that answers others', () => {
  it('is slow, and is waited for longer, with an end', async () => {
    const cells = [open('a'), open('b'), open('c')]
    clock.advance(silenceMs - 1)
    cells[0]?.store.set('fresh')
    clock.advance(silenceMs - 1)
    cells[1]?.store.set('fresh')
    await cells[1]?.until('fresh')
    expect(cells[2]?.seen).toEqual(['pending'])
    for (let waited = 2 * silenceMs; waited < slownessMs; waited += 1_000) {
      cells[0]?.store.set(`fresh ${waited}`)
      clock.advance(1_000)
      expect(loads).toBe(0)
    }
    cells[0]?.store.set('fresh still')
    clock.advance(silenceMs)
    await cells[2]?.until('saved (stale)')
  })

  it('is not thought away because it cannot give one head', async () => {
    const broken = open('broken')
    broken.store.fail(new NamingError('store-corrupt', 'its text is gone'))
    await broken.until('saved (stale)')
    const good = open('good')
    clock.advance(500)
    await realTurn()
    clock.settle()
    good.store.set('fresh')
    await good.until('fresh')
    expect(good.seen).toEqual(['pending', 'fresh'])
  })

  it('half of what it is asked is asked for the other half too', async () => {
    const listing = open('listing')
    listing.store.fail(refused)
    await listing.until('saved (stale)')
    const first = open('first')
    await first.until('saved (stale)')
    first.store.set('fresh')
    await first.until('fresh')
    const second = open('second')
    clock.advance(500)
    await realTurn()
    clock.settle()
    second.store.set('fresh')
    await second.until('fresh')
    expect(second.seen).toEqual(['pending', 'fresh'])
  })

  it('is away again once it is silent', async () => {
    const first = open('first')
    first.store.set('fresh')
    clock.advance(60_000)
    const second = open('second')
    clock.advance(silenceMs)
    await second.until('saved (stale)')
    const third = open('third')
    await third.until('saved (stale)')
    expect(first.seen).toEqual(['pending', 'fresh'])
  })
})
