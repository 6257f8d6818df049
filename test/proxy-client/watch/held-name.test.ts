import { beforeEach, describe, expect, test } from 'vitest'
import { NamingError } from '../../../naming/errors.ts'
import { HeldName } from '../../../proxy-client/watch/held-name.ts'
import { unheard } from '../../../proxy-client/watch/held-resources.ts'
import { ReplicaStore } from '../../../proxy-client/watch/replica-store.ts'
import { failed, ok, pending } from '../../../watch/state.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { endpoints, path, treeTo } from '../../fakes/interpreter.fake.ts'

const a = treeTo('/#/fs/a')
const b = treeTo('/#/fs/b')

describe('a held name', () => {
  let clock: FakeClock
  let replicas: ReplicaStore
  let held: HeldName

  beforeEach(() => {
    clock = new FakeClock()
    replicas = new ReplicaStore(clock, unheard)
    const name = { namespace: 'default', path: path('/svc/web'), dtab: '' }
    held = new HeldName(1, name, { replicas, clock, onShown: () => {} })
    held.receive('hash-a', ok(a))
  })

  test('keeps its tree, stale, while the server has no answer or one that may pass', () => {
    held.receive('', pending)
    expect(held.shown.state).toMatchObject({ kind: 'ok', value: a, stale: { since: clock.now() } })
    const since = clock.now()
    clock.advance(1000)
    held.receive('', failed(new NamingError('namer-unavailable', 'away')))
    expect(held.shown.state).toMatchObject({ kind: 'ok', value: a, stale: { since, reason: { message: 'away' } } })
    expect(held.hash).toBe('hash-a')
  })

  test('drops its tree when the rules give none any more', () => {
    held.receive('', failed(new NamingError('unknown-namer', 'no such namer')))
    expect(held.shown.state).toMatchObject({ kind: 'failed', error: { code: 'unknown-namer' } })
    expect(held.hash).toBe('')
    expect(replicas.size).toBe(0)
  })

  test('is fresh again when its content is confirmed, and refuses a confirmation of other content', () => {
    held.lose({ since: 1, reason: new Error('gone') })
    held.receive('hash-a', { kind: 'same' })
    expect(held.shown.state).toEqual(ok(a))
    expect(held.receive('hash-b', { kind: 'same' })).toBe(false)
    expect(held.told.hash).toBe('hash-a')
  })

  test('goes on waiting with the newest tree when the server has none for a moment', () => {
    held.receive('hash-b', ok(b))
    expect(held.isWaiting).toBe(true)
    held.receive('', pending)
    expect(held.hash).toBe('hash-b')
    replicas.receive({ kind: 'replicas', id: path('/#/fs/b'), hash: 'r', state: ok(endpoints('127.0.0.1:1')) })
    held.showIfReady()
    expect(held.shown.state).toMatchObject({ kind: 'ok', value: b, stale: {} })
    expect(replicas.size).toBe(1)
  })

  test('gives back every leaf and timer when it is closed while it waits', () => {
    held.receive('hash-b', ok(b))
    expect(clock.waiting).toBe(1)
    held.close()
    expect(clock.waiting).toBe(0)
    expect(replicas.size).toBe(0)
  })
})
