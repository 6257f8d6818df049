// K2: a watch from a version that the server has forgotten is listed anew, in whatever form the server says so; what was
// removed in the gap is told as removed.
import { describe, expect, it } from 'vitest'
import type { Followed } from '../clients/kubernetes/followed.fixture.ts'
import { Rig } from '../clients/kubernetes/rig.fixture.ts'
import { errorLine, type Fault } from '../fakes/kubernetes-api.fake.ts'

async function startWithFive(): Promise<{ rig: Rig; followed: Followed }> {
  const rig = await Rig.start()
  for (const name of ['a', 'b', 'c', 'd', 'e']) rig.put(name, 1)
  return { rig, followed: await rig.followOpen() }
}

/** Three of five go, one comes, and the server forgets that it was so. */
function changeInGap(rig: Rig): void {
  for (const name of ['a', 'b', 'c']) rig.remove(name)
  rig.put('f', 1)
}

const rightSet = { d: 1, e: 1, f: 1 }
const told = [
  ['a', 'b', 'c', 'd', 'e'],
  ['a', 'b', 'c', 'f'],
]

function text(text: string, ending: 'end' | 'cut' = 'end'): Fault {
  return { kind: 'text', text, ending }
}

describe('K2: a watch that can not go on from its version', () => {
  it.each(['status', 'event'] as const)('is listed anew when 410 comes as %s', async gone => {
    const { rig, followed } = await startWithFive()
    await using _ = rig
    rig.api.gone = gone
    rig.apart(() => {
      changeInGap(rig)
      rig.api.objects.compact()
    })
    await followed.untilObjects(rightSet)
    expect([followed.changes, followed.failures]).toEqual([told, []])
    expect(rig.cluster.load()).toEqual({ collections: 1, objects: 3, lists: 2, watches: 3, drift: 0 })
  })

  it.each([
    ['an ERROR event of another kind', text(errorLine(500))],
    ['half a line', text('{"type":"ADDED","object":{"meta')],
    ['half a line and then a cut', text('{"type":"ADDED","object":{"meta', 'cut')],
    ['a line that is not JSON', text('what?\n')],
    ['a line that is no event', text('17\n')],
    [
      'an event of unknown type',
      text('{"type":"SPLIT","object":{"metadata":{"name":"a","resourceVersion":"5000"}}}\n'),
    ],
    ['an object without metadata', text('{"type":"ADDED","object":{}}\n')],
    [
      'an object that cannot be read',
      text('{"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"5000"}}}\n'),
    ],
  ])('is listed anew after %s', async (_name, fault) => {
    const { rig, followed } = await startWithFive()
    await using _ = rig
    rig.apart(() => {
      changeInGap(rig)
      rig.api.fail(fault, { verb: 'watch', times: 1 })
    })
    await rig.untilObjects(followed, rightSet)
    expect(followed.changes).toEqual(told)
    expect(followed.objects).toEqual(rightSet)
    expect(rig.cluster.load()).toMatchObject({ lists: 2, objects: 3, drift: 0 })
    expect(followed.isFailing).toBe(false)
  })

  it('backs off, and says so, when every watch is refused so', async () => {
    const { rig, followed } = await startWithFive()
    await using _ = rig
    rig.api.fail(text(errorLine(410)), { verb: 'watch' })
    rig.api.endWatches()
    await followed.until(() => followed.isFailing)
    expect(followed.failures[0]?.error.message).toContain('410')
    expect(rig.api.watches).toBeLessThanOrEqual(6)
    rig.api.heal()
    rig.clock.advance(400)
    await rig.api.until(() => rig.api.openWatches === 1)
    expect([followed.objects, followed.changes.length]).toEqual([{ a: 1, b: 1, c: 1, d: 1, e: 1 }, 1])
  })

  it('begins the list again when it is forgotten between two pages', async () => {
    await using rig = await Rig.start()
    for (let i = 0; i < 500; i++) rig.put(`s${i}`, 1)
    let pages = 0
    rig.api.onRequest = ({ verb, parameters }) => {
      if (verb === 'list' && parameters.has('continue') && pages++ === 0) {
        rig.put('late', 1)
        rig.api.objects.compact()
      }
      return undefined
    }
    const followed = await rig.followOpen()
    expect([followed.changes.length, Object.keys(followed.objects).length]).toEqual([1, 501])
    expect(followed.failures).toEqual([])
  })
})
