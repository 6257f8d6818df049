import { describe, expect, test } from 'vitest'
import { RecentFrames } from '../../api/frames.ts'
import { failed, ok, pending, type State } from '../../watch/state.ts'

describe('recent frames', () => {
  const encodeText = (asked: State<object>[]) => (state: State<object>) => {
    asked.push(state)
    return Buffer.from(JSON.stringify(state))
  }

  test('encode a state once, whoever asks and stale or not', () => {
    const asked: State<object>[] = []
    const frames = new RecentFrames(encodeText(asked))
    const value = { name: 'web' }
    const first = frames.of(ok(value))
    expect(frames.of(ok(value))).toBe(first)
    expect(frames.of(ok(value, { since: 1, reason: new Error('away') }))).toBe(first)
    expect(frames.of(pending)).toBe(frames.of(pending))
    expect(frames.of(ok({ name: 'web' }))).not.toBe(first)
    expect(asked).toHaveLength(3)
  })

  test('tell failures apart', () => {
    const frames = new RecentFrames(state => Buffer.from(state.kind === 'failed' ? state.error.message : ''))
    expect(frames.of(failed(new Error('one'))).toString()).toBe('one')
    expect(frames.of(failed(new Error('two'))).toString()).toBe('two')
  })

  test('are forgotten when newer ones fill the room, and encoded again when asked for', () => {
    const asked: State<object>[] = []
    const frames = new RecentFrames(encodeText(asked), 1000)
    const value = { name: 'first' }
    frames.of(ok(value))
    for (let i = 0; i < 20; i++) frames.of(ok({ i }))
    frames.of(ok(value))
    expect(asked).toHaveLength(22)
  })
})
