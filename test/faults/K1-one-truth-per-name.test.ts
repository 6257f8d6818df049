// K1: a service that goes and comes back, scales to nothing or changes its port. Whoever watches, and in whatever way, sees
// after each step what the API server has.
import { describe, expect, it } from 'vitest'
import { KubernetesWorld, type Seen } from '../interpreters/kubernetes/kubernetes.fixture.ts'
import { serviceOf, sliceOf } from '../interpreters/kubernetes/objects.fixture.ts'
import { seededRandom } from '../proxy-client/seeded-random.fixture.ts'

/** What the API server has. */
interface Truth {
  isThere: boolean
  endpoints: readonly string[]
  targetPort: number
  servicePort: number
}

const steps = 2_000

const changes: readonly ((truth: Truth, draw: (below: number) => number) => void)[] = [
  truth => {
    truth.endpoints = []
  },
  (truth, draw) => {
    truth.endpoints = Array.from({ length: 1 + draw(4) }, (_, i) => `10.${draw(200)}.${draw(200)}.${i}`)
  },
  truth => {
    truth.isThere = false
  },
  truth => {
    truth.isThere = true
  },
  (truth, draw) => {
    truth.targetPort = 8_080 + draw(3)
    truth.servicePort = 80 + draw(2)
  },
]

function apply({ cluster }: KubernetesWorld, { isThere, endpoints, targetPort, servicePort }: Truth): void {
  if (!isThere) {
    cluster.remove('Service', 'prod', 'web')
    cluster.remove('EndpointSlice', 'prod', 'web-1')
    return
  }
  cluster.put(serviceOf({ ports: [{ name: 'http', port: servicePort }] }))
  cluster.put(sliceOf({ endpoints, ports: [{ name: 'http', port: targetPort }] }))
}

function endpointsOf({ endpoints, targetPort }: Truth): string {
  const shown = endpoints.map(address => `${address}:${targetPort}`).sort()
  return shown.length === 0 ? 'none' : shown.join(' ')
}

/** The addresses, watched from before the last watcher of the tree leaves. */
function addressesAfterTree(world: KubernetesWorld, path: string): Seen {
  const tree = world.tree(path)
  const seen = world.replicas(path)
  tree.stop()
  return seen
}

describe('K1: four kinds of observers agree with the API server', () => {
  it.each([
    { path: '/prod/http/web', emptyIsNeg: false },
    { path: '/prod/http/web', emptyIsNeg: true },
    { path: '/prod/80/web', emptyIsNeg: false },
  ])('after each of 2,000 random steps, on $path, emptyIsNeg $emptyIsNeg', ({ path, emptyIsNeg }) => {
    const world = new KubernetesWorld({ rule: { emptyIsNeg } })
    const random = seededRandom(1)
    const draw = (below: number): number => Math.floor(random() * below)
    const truth: Truth = { isThere: true, endpoints: ['10.0.0.1'], targetPort: 8080, servicePort: 80 }
    const both = { tree: world.tree(path), addresses: world.replicas(path) }
    const treeOnly = world.tree(path)
    const addressesOnly = world.replicas(path)
    let late = addressesAfterTree(world, path)
    for (let step = 0; step < steps; step++) {
      changes[draw(changes.length)]?.(truth, draw)
      apply(world, truth)
      if (step % 100 === 99) {
        late.stop()
        late = addressesAfterTree(world, path)
      }
      world.clock.advance(100)
      const isMapped = path !== '/prod/80/web' || truth.servicePort === 80
      const isNeg = !truth.isThere || !isMapped || (emptyIsNeg && truth.endpoints.length === 0)
      const tree = isNeg ? 'neg' : `/#/io.l5d.k8s${path} + /`
      const addresses = isNeg ? 'neg' : endpointsOf(truth)
      const seen = [both.tree.last, treeOnly.last, both.addresses.shown, addressesOnly.shown, late.shown]
      if (seen.join() !== [tree, tree, addresses, addresses, addresses].join())
        expect({ step, seen }).toEqual({ step, seen: [tree, tree, addresses, addresses, addresses] })
    }
    expect(world.report(path.slice(1))).toMatchObject({ state: expect.stringMatching(/^ok$/), running: true })
    expect(new Set(both.addresses.states.map(state => state.kind))).toEqual(new Set(['pending', 'ok']))
  })
})
