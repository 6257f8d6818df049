// E1: A name that exists but has nothing to send to: when `first | second` falls over, and that a blink moves no traffic.
import { describe, expect, it } from 'vitest'
import { createDiscovery, type DiscoveryRule, type FoundSink, readExistence } from '../../interpreters/discovery.ts'
import { createFsNamer } from '../../interpreters/fs/fs-namer.ts'
import type { DelegateTree } from '../../interpreters/interpreter.ts'
import type { Namer } from '../../interpreters/namer.ts'
import { leaf, neg } from '../../naming/name-tree.ts'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import { silentLog } from '../../runtime/log.ts'
import { createMetrics } from '../../runtime/metrics.ts'
import type { Cell, Kernel } from '../../watch/cell.ts'
import { ok, type State } from '../../watch/state.ts'
import type { FakeClock } from '../fakes/clock.fake.ts'
import { shown } from '../interpreters/discovery.fixture.ts'
import { FakeDisk, fakeRoot, settle } from '../interpreters/fs/disk.fake.ts'
import { createWorld, pathOf, recorded, type World } from '../interpreters/world.fixture.ts'

const rule: DiscoveryRule = { emptyIsNeg: true, emptyHoldDownMs: 1000, massEmpty: false }
const [first, second] = ['/#/first/web', '/#/second/web']

/** What rules the name `web` of the first namer. */
interface Backend {
  readonly namer: Namer
  say(endpoints: 0 | 1): void
}

type MakeBackend = (kernel: Kernel, clock: FakeClock, rule: DiscoveryRule) => Backend

const envOf = (kernel: Kernel, clock: FakeClock) => ({
  kernel,
  clock,
  random: () => 0,
  log: silentLog,
  metrics: createMetrics(),
})

const scripted: MakeBackend = (kernel, clock, rule) => {
  const prefix = ['#', 'first']
  const discovery = createDiscovery({ kind: 'first', prefix, rule, lingerMs: 0 }, envOf(kernel, clock))
  let sink: FoundSink | undefined
  let found: 0 | 1 = 1
  const tell = (): void =>
    sink?.set({ exists: true, endpoints: found === 1 ? [{ address: '10.0.0.1', port: 80, weight: 1 }] : [] })
  const web = discovery.follow('web', opened => {
    sink = opened
    tell()
    return () => {}
  })
  return {
    namer: cellNamer(prefix, web),
    say: endpoints => {
      found = endpoints
      tell()
    },
  }
}

const files: MakeBackend = (kernel, clock, { emptyIsNeg, emptyHoldDownMs }) => {
  const disk = new FakeDisk({ web: '10.0.0.1 80\n' })
  const emptyFiles = { emptyIsNeg, emptyHoldDownMs }
  const options = { rootDir: fakeRoot, prefix: ['#', 'first'], emptyFiles, disk }
  return {
    namer: createFsNamer(options, envOf(kernel, clock)),
    say: endpoints => {
      disk.files.set('web', endpoints === 1 ? '10.0.0.1 80\n' : '')
      disk.tell('rename', 'web')
    },
  }
}

/** A namer of the one name `web`. */
function cellNamer(prefix: readonly string[], web: Cell<ReplicaSet>): Namer {
  return {
    prefix,
    lookup: ([name, ...residual], read) => {
      const state = readExistence(web, read)
      if (state.kind !== 'ok') return state
      const isBound = name === 'web' && state.value.kind === 'bound'
      return ok(isBound ? leaf({ kind: 'bound', id: [...prefix, 'web'], residual }) : neg)
    },
    replicas: () => web,
    close: () => {},
  }
}

interface FallOver extends World {
  readonly backend: Backend
  readonly trees: string[]
  readonly replicas: string[]
  pass(ms: number): Promise<void>
}

async function createFallOver(make: MakeBackend, rule: DiscoveryRule): Promise<FallOver> {
  const made: { backend?: Backend } = {}
  const world = createWorld((kernel, clock) => {
    const spare = kernel.input<ReplicaSet>('spare', { initial: { kind: 'bound', endpoints: [] } })
    made.backend = make(kernel, clock, rule)
    return [made.backend.namer, cellNamer(['#', 'second'], spare)]
  })
  const { backend } = made
  if (backend === undefined) throw new Error('no backend was made')
  await world.put('default', `/svc/web => ${first} | ${second}`)
  const trees = recorded(world.bind('/svc/web'))
  const replicas: string[] = []
  world.interpreter.replicas(pathOf(first)).watch((state: State<ReplicaSet>) => replicas.push(shown(state)))
  await settle(world.clock)
  const pass = async (ms: number): Promise<void> => {
    await settle(world.clock)
    world.clock.advance(ms)
    await settle(world.clock)
  }
  return { ...world, backend, trees, replicas, pass }
}

/** Where an explanation leads: the leaves that are not neg. */
function leaves(tree: DelegateTree): string[] {
  if (tree.kind === 'leaf') return [`/${tree.id.join('/')}`]
  if (tree.kind === 'delegate' || tree.kind === 'transformation') return leaves(tree.tree)
  return tree.kind === 'alt' ? tree.trees.flatMap(leaves) : []
}

describe.each([
  ['a backend', scripted],
  ['files', files],
])('E1: fall-over from a name of %s', (_what, make) => {
  it('happens once it has had no endpoint for the hold-down, and ends at once when it has one', async () => {
    const { clock, kernel, backend, trees, replicas, pass } = await createFallOver(make, rule)
    const source = () => kernel.sources().find(({ name }) => name.endsWith('web'))
    expect([trees.at(-1), replicas.at(-1)]).toEqual([first, '10.0.0.1:80'])
    backend.say(0)
    await pass(100)
    expect([trees.at(-1), replicas.at(-1)]).toEqual([first, 'none'])
    await pass(1000)
    expect([trees.at(-1), replicas.at(-1)]).toEqual([second, 'neg'])
    // O3: a backend that says that nothing is there is well, and its report says when it last changed what is shown.
    expect(source()).toMatchObject({ state: 'ok', running: true })
    expect(clock.now() - (source()?.changedAt ?? 0)).toBeLessThanOrEqual(100)
    expect(source()).not.toHaveProperty('failingSince')
    backend.say(1)
    await pass(0)
    expect([trees.at(-1), replicas.at(-1)]).toEqual([first, '10.0.0.1:80'])
  })

  it('never happens while the last endpoint goes and comes each 100 ms', async () => {
    const { backend, trees, replicas, pass } = await createFallOver(make, rule)
    for (let i = 0; i < 50; i++) {
      backend.say(i % 2 === 0 ? 0 : 1)
      await pass(100)
    }
    expect(trees.filter(tree => !tree.startsWith('pending'))).toEqual([first])
    expect(replicas.filter(set => set === 'none')).toHaveLength(25)
  })

  it('happens at most once per hold-down, however the endpoint comes and goes', async () => {
    const { clock, backend, trees, pass } = await createFallOver(make, { ...rule, emptyHoldDownMs: 250 })
    const begunAt = clock.now()
    for (let i = 0; i < 60; i++) {
      backend.say(i % 5 === 0 ? 1 : 0)
      await pass(100)
    }
    const flips = trees.filter(tree => tree === second).length
    expect(flips).toBe(12)
    expect(flips).toBeLessThanOrEqual((clock.now() - begunAt) / 250)
  })

  it('happens at once without a hold-down', async () => {
    const { backend, trees, replicas, pass } = await createFallOver(make, { ...rule, emptyHoldDownMs: 0 })
    backend.say(0)
    await pass(50)
    expect(trees.at(-1)).toBe(second)
    expect(replicas).not.toContain('none')
  })

  it('never happens when empty is not neg: the name stays bound to nothing', async () => {
    const { backend, trees, replicas, pass } = await createFallOver(make, { ...rule, emptyIsNeg: false })
    backend.say(0)
    await pass(50)
    await pass(3_600_000)
    expect([trees.at(-1), replicas.at(-1)]).toEqual([first, 'none'])
  })

  it('is explained as it is bound', async () => {
    const { backend, interpreter, pass } = await createFallOver(make, rule)
    const explained = (): string[] => {
      let found: string[] = []
      const tree = leaf(pathOf('/svc/web'))
      interpreter.delegate({ namespace: 'default', tree }).watch(state => {
        if (state.kind === 'ok') found = leaves(state.value)
      })()
      return found
    }
    expect(explained()).toEqual([first, second])
    backend.say(0)
    await pass(50)
    await pass(949)
    expect(explained()).toEqual([first, second])
    await pass(60)
    expect(explained()).toEqual([second])
  })
})

/** A watched file of the fs namer, emptied a moment ago; its hold-down is a minute. */
async function createEmptied() {
  const disk = new FakeDisk({ web: '10.0.0.1 80\n' })
  const emptyFiles = { emptyIsNeg: true, emptyHoldDownMs: 60_000 }
  const world = createWorld((kernel, clock) => [
    createFsNamer({ rootDir: fakeRoot, prefix: ['#', 'first'], emptyFiles, disk }, envOf(kernel, clock)),
  ])
  const replicas: string[] = []
  world.interpreter.replicas(pathOf(first)).watch(state => replicas.push(shown(state)))
  const pass = async (ms: number): Promise<void> => {
    await settle(world.clock)
    world.clock.advance(ms)
    await settle(world.clock)
  }
  const write = async (text: string | undefined): Promise<void> => {
    if (text === undefined) disk.files.delete('web')
    else disk.files.set('web', text)
    disk.tell('rename', 'web')
    await pass(50)
  }
  await pass(0)
  await write('')
  expect(replicas.at(-1)).toBe('none')
  return { ...world, disk, replicas, pass, write }
}

describe('E1: an emptied file', () => {
  it('that is removed is neg at once, and stays so when it comes back empty', async () => {
    const { replicas, write } = await createEmptied()
    await write(undefined)
    expect(replicas.at(-1)).toBe('neg')
    await write('')
    expect(replicas.at(-1)).toBe('neg')
  })

  it('that cannot be read any more goes on towards neg, stale', async () => {
    const { disk, replicas, pass } = await createEmptied()
    disk.isFailing = true
    disk.tell('change', 'web')
    await pass(59_900)
    expect(replicas.at(-1)).toBe('none stale')
    await pass(100)
    expect(replicas.at(-1)).toBe('neg stale')
  })

  it('leaves no timer behind when nobody follows it any more', async () => {
    const { clock, interpreter, kernel } = await createEmptied()
    interpreter.close()
    kernel.close()
    await settle(clock)
    expect(clock.waiting).toBe(0)
  })
})
