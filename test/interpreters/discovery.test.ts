import { describe, expect, it } from 'vitest'
import { createScripted, rule } from './discovery.fixture.ts'

describe('a name that its backend knows', () => {
  it('shows endpoints, and their change, at once', () => {
    const { clock, name } = createScripted()
    const web = name('web')
    web.has('10.0.0.1')
    clock.settle()
    web.has('10.0.0.1', '10.0.0.2')
    clock.settle()
    expect(web.seen).toEqual(['pending', '10.0.0.1:80', '10.0.0.1:80 10.0.0.2:80'])
    expect(web.trees).toEqual(['pending', 'bound'])
  })

  it('delivers nothing for equal content, and is heard from all the same', () => {
    const { clock, kernel, name } = createScripted()
    const web = name('web')
    web.answer(['10.0.0.1'], { version: '1' })
    clock.advance(10)
    web.answer(['10.0.0.1'], { version: '2' })
    clock.settle()
    expect(web.seen).toEqual(['pending', '10.0.0.1:80'])
    expect(kernel.sources()[0]).toMatchObject({ name: 'test web', group: '/#/test', version: '2', ageMs: 0 })
  })

  it('is neg at once when it is absent or empty at first sight', () => {
    const { clock, name } = createScripted()
    const [absent, empty] = [name('absent'), name('empty')]
    absent.isGone()
    empty.has()
    clock.settle()
    expect([absent.last, empty.last]).toEqual(['neg', 'neg'])
  })

  it('tells people whether it is neg for want of endpoints or for being gone, and nobody falls over for that', () => {
    const { clock, name } = createScripted()
    const web = name('web')
    web.has()
    clock.settle()
    web.isGone()
    clock.settle()
    web.has()
    clock.settle()
    expect(web.whys).toEqual([
      'it exists, but has no usable endpoint',
      undefined,
      'it exists, but has no usable endpoint',
    ])
    expect(web.trees).toEqual(['pending', 'neg'])
  })

  it('is neg at once when it was followed before, and not since', () => {
    const { clock, name } = createScripted()
    const web = name('web')
    web.has('10.0.0.1')
    clock.settle()
    web.stop()
    clock.settle()
    const again = name('web')
    again.isGone()
    clock.settle()
    expect(again.seen).toEqual(['pending', 'neg'])
  })
})

describe('a name that loses its endpoints', () => {
  it.each(['empty', 'gone'])('has none at once when it is %s, and is neg after the hold-down', how => {
    const { clock, name } = createScripted()
    const web = name('web')
    web.has('10.0.0.1')
    clock.settle()
    if (how === 'empty') web.has()
    else web.isGone()
    clock.advance(999)
    expect([web.last, web.trees.at(-1)]).toEqual(['none', 'bound'])
    clock.advance(1)
    expect([web.last, web.trees.at(-1)]).toEqual(['neg', 'neg'])
    web.has('10.0.0.2')
    clock.settle()
    expect([web.last, web.trees.at(-1)]).toEqual(['10.0.0.2:80', 'bound'])
  })

  it('counts the hold-down from the first loss, however often and in what form it is told again', () => {
    const { clock, name } = createScripted()
    const web = name('web')
    web.has('10.0.0.1')
    web.has()
    clock.advance(400)
    web.isGone()
    clock.advance(400)
    web.has()
    clock.advance(200)
    expect(web.last).toBe('neg')
  })

  it('is neg at once with a hold-down of 0', () => {
    const { clock, name } = createScripted({ rule: { ...rule, emptyHoldDownMs: 0 } })
    const web = name('web')
    web.has('10.0.0.1')
    clock.settle()
    web.has()
    clock.settle()
    expect(web.seen).toEqual(['pending', '10.0.0.1:80', 'neg'])
  })

  it('stays bound to nothing while it exists, and is neg a hold-down after it is gone, when empty is not neg', () => {
    const { clock, name } = createScripted({ rule: { ...rule, emptyIsNeg: false } })
    const web = name('web')
    web.has()
    clock.settle()
    expect(web.last).toBe('none')
    clock.advance(3_600_000)
    expect(web.last).toBe('none')
    web.isGone()
    clock.advance(999)
    expect(web.last).toBe('none')
    clock.advance(1)
    expect(web.last).toBe('neg')
  })

  it('goes on towards neg while the backend fails, for a well-formed answer took the endpoints away', () => {
    const { clock, name } = createScripted()
    const web = name('web')
    web.has('10.0.0.1')
    web.has()
    clock.advance(500)
    web.sink.fail(new Error('down'), clock.now() + 1000)
    clock.advance(499)
    expect([web.last, web.reason]).toEqual(['none stale', 'down'])
    clock.advance(1)
    expect([web.last, web.reason]).toEqual(['neg stale', 'down'])
  })

  it('never begins because the backend fails', () => {
    const { clock, name } = createScripted()
    const web = name('web')
    web.has('10.0.0.1')
    web.sink.fail(new Error('down'))
    clock.advance(3_600_000)
    expect(web.seen).toEqual(['pending', '10.0.0.1:80 stale'])
  })
})

describe('a failing backend', () => {
  it('fails a name that it never told of', () => {
    const { clock, name } = createScripted()
    const web = name('web')
    web.sink.fail(new Error('down'))
    clock.settle()
    expect(web.last).toBe('failed')
    web.isGone()
    clock.settle()
    expect(web.last).toBe('neg')
  })

  it.each(['the same answer', 'a sign of life'])('is well again after %s', how => {
    const { clock, events, kernel, name } = createScripted()
    const web = name('web')
    web.has('10.0.0.1')
    web.sink.fail(new Error('down'))
    clock.settle()
    expect(web.last).toBe('10.0.0.1:80 stale')
    if (how === 'the same answer') web.has('10.0.0.1')
    else web.sink.contact('7')
    clock.settle()
    expect(web.last).toBe('10.0.0.1:80')
    expect(kernel.sources()[0]).toMatchObject({ state: 'ok' })
    expect(events.map(event => event.kind)).toEqual(['opened', 'failed', 'recovered'])
  })
})

describe('an answer with a flaw', () => {
  it('is shown, stale with that reason, and told as one failure until there is one without', () => {
    const { clock, events, name } = createScripted()
    const web = name('web')
    const flaw = new Error('cut off')
    const answer = (address: string): void =>
      web.sink.set({ exists: true, endpoints: [{ address, port: 80, weight: 1 }], flaw })
    answer('10.0.0.1')
    clock.settle()
    answer('10.0.0.2')
    clock.settle()
    expect(web.seen).toEqual(['pending', '10.0.0.1:80 stale', '10.0.0.2:80 stale'])
    expect(web.reason).toBe('cut off')
    expect(events.map(({ kind }) => kind)).toEqual(['opened', 'failed'])
    web.has('10.0.0.2')
    clock.settle()
    expect(web.last).toBe('10.0.0.2:80')
    expect(events.map(({ kind }) => kind)).toEqual(['opened', 'failed', 'recovered'])
  })
})

describe('the lag', () => {
  it('is counted for what changed, from the first byte and from the change itself', async () => {
    const { clock, name, series } = createScripted()
    const web = name('web')
    const answer = (address: string, receivedAgo: number, triggeredAgo: number): void =>
      web.answer([address], { receivedAt: clock.monotonic() - receivedAgo, triggeredAt: clock.now() - triggeredAgo })
    answer('10.0.0.1', 2, 4000)
    answer('10.0.0.1', 3, 5000)
    answer('10.0.0.2', 4, -60_000)
    const labels = '{kind="test"}'
    expect(await series(`watch_lag_seconds_count${labels}`)).toBe(2)
    expect(await series(`watch_lag_seconds_sum${labels}`)).toBeCloseTo(0.006)
    expect(await series(`watch_source_lag_seconds_sum${labels}`)).toBe(4)
  })
})

describe('closing', () => {
  it('ends every follow once, leaves no timer and ignores late reports', () => {
    const { clock, discovery, kernel, name, open } = createScripted()
    const web = name('web')
    const api = name('api')
    for (const each of [web, api]) {
      each.has('10.0.0.1')
      each.has()
    }
    clock.advance(10)
    const { sink } = web
    web.stop()
    clock.turn()
    expect(open()).toBe(1)
    discovery.close()
    discovery.close()
    expect([open(), clock.waiting]).toEqual([0, 0])
    for (const late of [sink, api.sink]) late.set({ exists: false, endpoints: [] })
    clock.advance(5000)
    expect(api.last).toBe('none')
    name('new')
    kernel.close()
    expect(open()).toBe(0)
  })

  it('leaves nothing behind of a follow that throws as it begins', () => {
    const { discovery, kernel, clock, open } = createScripted()
    const seen: string[] = []
    const broken = discovery.follow('broken', sink => {
      sink.set({ exists: true, endpoints: [{ address: '10.0.0.1', port: 80, weight: 1 }] })
      sink.set({ exists: true, endpoints: [] })
      throw new Error('no such agent')
    })
    expect(() => broken.watch(state => seen.push(state.kind))).toThrow('no such agent')
    kernel.close()
    expect([open(), clock.waiting]).toEqual([0, 0])
  })
})
