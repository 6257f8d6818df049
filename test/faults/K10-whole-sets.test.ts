// K10: a name is always computed from all its slices, so no order of events can lose anything or leave it behind. The oracle
// reads what the API server has in its own, slow way.
import { describe, expect, it } from 'vitest'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import type { State } from '../../watch/state.ts'
import { KubernetesWorld } from '../interpreters/kubernetes/kubernetes.fixture.ts'
import { type SliceEndpoint, type SliceOptions, sliceOf } from '../interpreters/kubernetes/objects.fixture.ts'
import { seededRandom } from '../proxy-client/seeded-random.fixture.ts'

const services = ['a', 'b', 'c']
const sliceNames = ['s0', 's1', 's2', 's3', 's4', 's5']
const ports = ['http', 'admin']

type Draw = (below: number) => number
type Slice = Omit<SliceOptions, 'endpoints'> & {
  readonly name: string
  readonly service: string
  readonly endpoints: readonly SliceEndpoint[]
}
type Port = { readonly name: string; readonly port: number }

function drawOne<T>(draw: Draw, items: readonly T[]): T {
  const item = items[draw(items.length)]
  if (item === undefined) throw new Error('nothing to draw from')
  return item
}

function drawEndpoint(draw: Draw): SliceEndpoint {
  return {
    address: `10.0.0.${draw(12)}`,
    ...(draw(4) === 0 && { ready: false, serving: draw(2) === 0, terminating: true }),
    ...(draw(2) === 0 && { zone: `z${draw(2)}` }),
  }
}

function drawPorts(draw: Draw): readonly Port[] {
  return ports.filter(() => draw(4) > 0).map(name => ({ name, port: 8_080 + draw(2) }))
}

/** One change of one slice: content, order, ports, owner. */
const edits: readonly ((slice: Slice, draw: Draw) => Slice)[] = [
  (slice, draw) => ({ ...slice, endpoints: [...slice.endpoints.slice(-4), drawEndpoint(draw)] }),
  (slice, draw) => ({ ...slice, endpoints: slice.endpoints.toSpliced(draw(5), 1) }),
  (slice, draw) => ({ ...slice, endpoints: slice.endpoints.map(old => (draw(3) === 0 ? drawEndpoint(draw) : old)) }),
  slice => ({ ...slice, endpoints: slice.endpoints.toReversed() }),
  (slice, draw) => ({ ...slice, ports: drawPorts(draw) }),
  (slice, draw) => ({ ...slice, service: drawOne(draw, services) }),
]

/** What the API server has. Each step puts or removes one slice, or moves or copies an endpoint between two. */
class Slices {
  readonly held = new Map<string, Slice>()
  readonly #world: KubernetesWorld
  readonly #draw: Draw

  constructor(world: KubernetesWorld, draw: Draw) {
    this.#world = world
    this.#draw = draw
  }

  step(): void {
    const draw = this.#draw
    const name = drawOne(draw, sliceNames)
    const slice = this.held.get(name)
    if (slice === undefined)
      this.#put({ name, service: drawOne(draw, services), ports: drawPorts(draw), endpoints: [] })
    else if (draw(8) === 0) this.#remove(name)
    else if (draw(4) === 0) this.#pass(slice, this.held.get(drawOne(draw, sliceNames)))
    else this.#put(drawOne(draw, edits)(slice, draw))
  }

  /** The first endpoint of one slice is put into another too, before it leaves the first or not at all. */
  #pass(from: Slice, to: Slice | undefined): void {
    const [first, ...others] = from.endpoints
    if (first === undefined || to === undefined || to === from) return
    this.#put({ ...to, endpoints: [...to.endpoints.slice(-4), first] })
    if (this.#draw(2) === 0) this.#put({ ...from, endpoints: others })
  }

  #put(slice: Slice): void {
    this.held.set(slice.name, slice)
    this.#world.cluster.put(sliceOf(slice))
  }

  #remove(name: string): void {
    this.held.delete(name)
    this.#world.cluster.remove('EndpointSlice', 'prod', name)
  }
}

/** `neg`, or every ready endpoint once, as the first slice by name describes it. */
function oracle(slices: readonly Slice[], service: string, portName: string): string {
  const found = new Map<string, string>()
  let exists = false
  for (const slice of slices) {
    if (slice.service !== service) continue
    for (const { name, port } of slice.ports ?? []) {
      if (name !== portName) continue
      exists = true
      for (const { address, ready, zone } of slice.endpoints) {
        const key = `${address}:${port}`
        if (ready !== false && !found.has(key)) found.set(key, `${key} ${zone ?? '-'}`)
      }
    }
  }
  return exists ? [...found.values()].sort().join(', ') : 'neg'
}

function show(state: State<ReplicaSet> | undefined): string {
  if (state?.kind !== 'ok') return state?.kind ?? 'nothing'
  if (state.stale !== undefined) return `stale: ${state.stale.reason.message}`
  if (state.value.kind === 'neg') return 'neg'
  const shown = state.value.endpoints.map(
    ({ address, port, metadata }) => `${address}:${port} ${metadata?.zone ?? '-'}`,
  )
  return shown.sort().join(', ')
}

/** Runs the steps, some of them unheard until a list; throws at the first turn after which a name is not what it should be. */
function run(world: KubernetesWorld, { seed, steps }: { readonly seed: number; readonly steps: number }): void {
  const random = seededRandom(seed)
  const draw: Draw = below => Math.floor(random() * below)
  const slices = new Slices(world, draw)
  const names = services.flatMap(service => ports.map(port => ({ service, port })))
  const seen = names.map(({ service, port }) => world.replicas(`/prod/${port}/${service}`))
  for (let done = 0; done < steps; ) {
    world.cluster.isDeaf = draw(20) === 0
    for (let left = 1 + draw(19); left > 0; left--, done++) slices.step()
    if (world.cluster.isDeaf) world.clock.settle()
    if (world.cluster.isDeaf) world.cluster.relist()
    world.cluster.isDeaf = false
    world.clock.advance(100)
    const held = [...slices.held.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const [i, { service, port }] of names.entries()) {
      const [is, wanted] = [show(seen[i]?.last), oracle(held, service, port)]
      if (is !== wanted) expect({ done, service, port, is }).toEqual({ done, service, port, is: wanted })
    }
    for (const { states } of seen) states.splice(0, states.length - 1)
  }
}

describe('K10: every name equals its slices', () => {
  it('through 15,000 random steps, each service by its own watch', async () => {
    const world = new KubernetesWorld()
    run(world, { seed: 10, steps: 15_000 })
    expect(await world.metric('namer_k8s_wide')).toBe(0)
    expect(world.report('prod/http/a')).toMatchObject({ state: 'ok', running: true })
  })

  it('through 15,000 more, by the watch of the namespace', async () => {
    const world = new KubernetesWorld()
    for (let i = 0; i < 11; i++) world.replicas(`/prod/http/other${i}`)
    world.clock.advance(100)
    run(world, { seed: 11, steps: 15_000 })
    expect(await world.metric('namer_k8s_wide')).toBe(1)
    expect(world.cluster.open).toHaveLength(1)
  })
})

describe('K10: what is published', () => {
  it.each<[string, Partial<SliceOptions>, string]>([
    ['a zone', { endpoints: [{ address: '10.0.0.1', zone: 'b' }] }, '10.0.0.1:8080 b'],
    ['a port', { ports: [{ name: 'http', port: 8081 }] }, '10.0.0.1:8081 -'],
    ['the first endpoint', { endpoints: [] }, ''],
  ])('differs when only %s does', (_, change, wanted) => {
    const world = new KubernetesWorld()
    world.cluster.put(sliceOf())
    const seen = world.replicas('/prod/http/web')
    world.clock.advance(100)
    expect(show(seen.last)).toBe('10.0.0.1:8080 -')
    world.cluster.put(sliceOf(change))
    world.clock.advance(100)
    expect(show(seen.last)).toBe(wanted)
    world.cluster.put(sliceOf())
    world.clock.advance(100)
    expect(show(seen.last)).toBe('10.0.0.1:8080 -')
  })

  it('is nothing when the slices say the same in other words', () => {
    const world = new KubernetesWorld()
    world.cluster.put(sliceOf({ endpoints: ['10.0.0.1', '10.0.0.2'] }))
    const seen = world.replicas('/prod/http/web')
    world.clock.advance(100)
    const { length } = seen.states
    world.cluster.put(sliceOf({ name: 'web-2', endpoints: ['10.0.0.2'] }))
    world.cluster.put(sliceOf({ endpoints: [{ address: '10.0.0.1', ready: null }] }))
    world.clock.advance(100)
    expect(seen.states).toHaveLength(length)
  })
})
