// E4: explaining a failing name over and over is evaluated once, also when every client leaves at once.
import { describe, expect, it } from 'vitest'
import { leaf } from '../../naming/name-tree.ts'
import { createWorld, pathOf } from '../interpreters/world.fixture.ts'

describe('E4: cheap explanations', () => {
  it('evaluates once for 5,000 questions in a row', async () => {
    const world = createWorld()
    await world.put('default', '/svc => /a | /b | /#/io.test/throw')
    // The answer is made anew by each evaluation, so the very same object shows that there was none.
    const ask = (): unknown => {
      let answer: unknown
      const request = { namespace: 'default', tree: leaf(pathOf('/svc/web')) }
      world.interpreter.delegate(request).watch(state => {
        answer = state.kind === 'ok' ? state.value : undefined
      })()
      return answer
    }
    let same = 0
    const first = ask()
    expect(first).toBeDefined()
    const { openSources } = world.kernel.counts()
    for (let i = 0; i < 5_000; i++) if (ask() === first) same++
    expect(same).toBe(5_000)
    expect(world.kernel.counts().openSources).toBe(openSources)
    world.clock.advance(200_000)
    expect(world.kernel.counts()).toMatchObject({ watchers: 0, openSources: 0 })
    expect(world.clock.waiting).toBe(0)
  })
})
