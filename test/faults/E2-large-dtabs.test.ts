// E2: in a dtab of 50,000 entries an edit of one entry evaluates and delivers only the names that it touches.
import { describe, expect, it } from 'vitest'
import { createWorld, pathOf, recorded } from '../interpreters/world.fixture.ts'

const entries = 50_000
const boundNames = 10_000

function dtabText(edited: string): string {
  const lines = ['/svc => /host', '/host => /#/io.test']
  for (let i = lines.length; i < entries; i++) lines.push(`/svc/web-${i} => ${i === 777 ? edited : `/host/v-${i}`}`)
  return lines.join(';\n')
}

describe('E2: large dtabs', () => {
  it('evaluates and delivers only touched names when one entry of 50,000 is edited', async () => {
    const world = createWorld()
    await world.put('default', dtabText('/host/before'))
    world.interpreter.namespace('default').watch(() => {})
    world.clock.settle()
    let delivered = 0
    for (let i = 0; i < boundNames; i++) {
      const path = pathOf(`/svc/web-${i}/users`)
      world.interpreter.bind({ namespace: 'default', path }).watch(() => delivered++)
    }
    const touched = recorded(world.bind('/svc/web-777/users'))
    const { evaluations } = world.kernel.counts()
    delivered = 0
    await world.put('default', dtabText('/host/after'))
    world.clock.settle()
    expect(touched).toEqual(['/#/io.test/before,/users', '/#/io.test/after,/users'])
    expect(delivered).toBe(1)
    expect(world.kernel.counts().evaluations - evaluations).toBe(1)
  })
})
