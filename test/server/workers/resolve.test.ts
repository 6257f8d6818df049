import { expect, it } from 'vitest'
import { type Resolution, resolveName } from '../../../api/grpc/resolve.ts'
import { WarmCells } from '../../../api/warm-cells.ts'
import { ok, pending } from '../../../watch/state.ts'
import { endpoints, treeTo } from '../../fakes/interpreter.fake.ts'
import { type MirrorWorld, mirrorWorld } from './mirror.fixture.ts'

function resolve({ clock, threadKernel: kernel, mirror }: MirrorWorld): Promise<Resolution> {
  const name = { namespace: 'default', path: ['svc', 'web'], dtab: '' }
  const warm = new WarmCells({ clock, lingerMs: 1_000, maxCells: 10 })
  const { interpreter } = mirror
  const signal = new AbortController().signal
  return resolveName({ clock, kernel, interpreter }, { name, waitMs: 0 }, { warm, client: 'a', signal })
}

it('answers in a thread what the main thread knows, also to who does not want to wait', async () => {
  const world = mirrorWorld()
  const [tree, set] = [ok(treeTo('/#/fs/web')), ok(endpoints('127.0.0.1:80'))]
  world.states.set('/svc/web', tree)
  world.states.set('id /#/fs/web', set)
  const answer = resolve(world)
  world.settle()
  expect(await answer).toEqual({ tree, replicas: [{ id: ['#', 'fs', 'web'], state: set }] })
})

it('answers pending when the main thread says so, or says nothing for a second', async () => {
  const told = mirrorWorld()
  const answer = resolve(told)
  told.settle()
  expect(await answer).toEqual({ tree: pending, replicas: [] })
  const silent = mirrorWorld()
  const late = resolve(silent)
  silent.clock.advance(1_000)
  expect((await late).tree.kind).toBe('pending')
})
