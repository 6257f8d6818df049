import { expect, it } from 'vitest'
import { parseConfig } from '../../runtime/config.ts'
import { checkServerConfig } from '../../server/config.ts'

function workersOf(text: string): unknown {
  const { interfaces } = checkServerConfig(parseConfig(`interfaces: [${text}]`, 'test'))
  return interfaces.map(each => ('workers' in each ? each.workers : undefined))
}

it('has the gRPC port served by the thread that does everything else, unless workers are configured', () => {
  expect(workersOf('{ kind: io.l5d.mesh }, { kind: io.l5d.mesh, port: 1, workers: 64 }')).toEqual([1, 64])
})

it.each([
  ['{ kind: io.l5d.mesh, workers: 0 }', /interfaces\.0\.workers|interfaces\[0\]\.workers/],
  ['{ kind: io.l5d.mesh, workers: 65 }', /workers/],
  ['{ kind: io.l5d.mesh, workers: 1.5 }', /workers/],
  ['{ kind: io.l5d.httpController, workers: 2 }', /workers/],
])('refuses %s and says where that stands', (text, place) => {
  expect(() => workersOf(text)).toThrow(place)
})
