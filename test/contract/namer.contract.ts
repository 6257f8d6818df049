// The laws that every namer keeps, whatever its backend. A kind's test gives a fixture that can make things happen there.
import { describe, expect, it } from 'vitest'
import type { Namer, NamerLeaf } from '../../interpreters/namer.ts'
import type { NameTree } from '../../naming/name-tree.ts'
import { type Path, pathEquals, pathStartsWith, showPath } from '../../naming/path.ts'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import type { Cell, Kernel } from '../../watch/cell.ts'
import type { State } from '../../watch/state.ts'

/** A namer over a backend that the test rules. Each step resolves when what it did has been delivered. */
export interface NamerFixture {
  readonly namer: Namer
  readonly kernel: Kernel
  /** What follows the prefix, for a name that the backend has when the fixture is made. */
  readonly known: Path
  /** What follows the prefix, for a name that the backend does not have; absent when every name of the shape is bound. */
  readonly unknown?: Path
  /** What follows the prefix, for a path that is no name of this namer at all. */
  readonly misshapen?: Path
  /** Waits until whatever was begun has been answered and delivered. */
  settle(): Promise<void>
  /** Takes the known name away at the backend, or brings it back; absent when names never change. */
  setKnown?(exists: boolean): Promise<void>
  /** Makes the backend fail, or heals it; absent when there is none. */
  setFailing?(isFailing: boolean): Promise<void>
  /** How often the backend was asked to watch something, so far. */
  opened?(): number
  /** Ends lingering and anything else that waits for time to pass. */
  passLinger(): Promise<void>
  dispose(): Promise<void>
}

/** What only some namers can offer; one that does not says so. */
type Need = 'unknown' | 'misshapen' | 'opened' | 'setKnown' | 'setFailing'

interface Law {
  readonly title: string
  readonly run: (fixture: NamerFixture) => Promise<void>
  /** What a fixture must offer to show the law. */
  readonly needs?: Need
}

/** A watched lookup: the states seen so far. */
function watchedLookup({ namer, kernel }: NamerFixture, rest: Path): State<NameTree<NamerLeaf>>[] {
  const seen: State<NameTree<NamerLeaf>>[] = []
  kernel.derive(`lookup ${showPath(rest)}`, read => namer.lookup(rest, read)).watch(state => seen.push(state))
  return seen
}

function watched<T>(cell: Cell<T>): State<T>[] {
  const seen: State<T>[] = []
  cell.watch(state => seen.push(state))
  return seen
}

function boundLeaf(state: State<NameTree<NamerLeaf>> | undefined): NamerLeaf & { readonly kind: 'bound' } {
  if (state?.kind !== 'ok' || state.value.kind !== 'leaf' || state.value.value.kind !== 'bound')
    throw new Error(`not bound: ${JSON.stringify(state)}`)
  return state.value.value
}

function kindOf<T extends { readonly kind: string }>(state: State<T> | undefined): string | undefined {
  return state?.kind === 'ok' ? state.value.kind : state?.kind
}

function idOf({ namer, known }: NamerFixture): Path {
  return [...namer.prefix, ...known]
}

const laws: readonly Law[] = [
  {
    title: 'binds a known name to an id under its prefix, and keeps the rest as residual',
    run: async fixture => {
      const seen = watchedLookup(fixture, [...fixture.known, 'some', 'rest'])
      await fixture.settle()
      const { id, residual } = boundLeaf(seen.at(-1))
      expect(pathStartsWith(id, fixture.namer.prefix)).toBe(true)
      expect(residual).toEqual(['some', 'rest'])
    },
  },
  {
    title: 'binds an id to itself, with nothing left over',
    run: async fixture => {
      const first = watchedLookup(fixture, fixture.known)
      await fixture.settle()
      const { id } = boundLeaf(first.at(-1))
      const second = watchedLookup(fixture, id.slice(fixture.namer.prefix.length))
      await fixture.settle()
      const again = boundLeaf(second.at(-1))
      expect(pathEquals(again.id, id)).toBe(true)
      expect(again.residual).toEqual([])
    },
  },
  {
    title: 'gives the endpoints of an id that it bound, and ignores labels after it',
    run: async fixture => {
      const exact = watched(fixture.namer.replicas(idOf(fixture)))
      const longer = watched(fixture.namer.replicas([...idOf(fixture), 'some', 'rest']))
      await fixture.settle()
      expect(kindOf<ReplicaSet>(exact.at(-1))).toBe('bound')
      expect(longer.at(-1)).toEqual(exact.at(-1))
    },
  },
  {
    title: 'says neg for a name that does not exist, both when it is looked up and when its endpoints are asked for',
    needs: 'unknown',
    run: async fixture => {
      const rest = fixture.unknown ?? []
      const seen = watchedLookup(fixture, rest)
      const endpoints = watched(fixture.namer.replicas([...fixture.namer.prefix, ...rest]))
      await fixture.settle()
      expect([kindOf(seen.at(-1)), kindOf<ReplicaSet>(endpoints.at(-1))]).toEqual(['neg', 'neg'])
    },
  },
  {
    title: 'never binds a path that is not of its shape',
    needs: 'misshapen',
    run: async fixture => {
      const seen = watchedLookup(fixture, fixture.misshapen ?? [])
      await fixture.settle()
      expect(['neg', 'failed']).toContain(kindOf(seen.at(-1)))
    },
  },
  {
    title: 'opens a backend watch once, however many watch one name',
    needs: 'opened',
    run: async fixture => {
      watched(fixture.namer.replicas(idOf(fixture)))
      await fixture.settle()
      const opened = fixture.opened?.()
      for (let i = 0; i < 5; i++) watched(fixture.namer.replicas(idOf(fixture)))
      for (let i = 0; i < 5; i++) watchedLookup(fixture, fixture.known)
      await fixture.settle()
      expect(fixture.opened?.()).toBe(opened)
    },
  },
  {
    title: 'closes its backend watches after the last watcher has left',
    run: async fixture => {
      const unwatch = fixture.namer.replicas(idOf(fixture)).watch(() => {})
      const stop = fixture.kernel.derive('lookup', read => fixture.namer.lookup(fixture.known, read)).watch(() => {})
      await fixture.settle()
      unwatch()
      stop()
      await fixture.passLinger()
      expect(fixture.kernel.counts().openSources).toBe(0)
    },
  },
  {
    title: 'derives existence and endpoints from one truth: both go and both come back',
    needs: 'setKnown',
    run: async fixture => {
      const seen = watchedLookup(fixture, fixture.known)
      const endpoints = watched(fixture.namer.replicas(idOf(fixture)))
      const now = (): unknown => [kindOf(seen.at(-1)), kindOf<ReplicaSet>(endpoints.at(-1))]
      await fixture.settle()
      expect(now()).toEqual(['leaf', 'bound'])
      await fixture.setKnown?.(false)
      expect(now()).toEqual(['neg', 'neg'])
      await fixture.setKnown?.(true)
      expect(now()).toEqual(['leaf', 'bound'])
    },
  },
  {
    title: 'keeps the last good endpoints while its backend fails, stale with a reason, until it heals',
    needs: 'setFailing',
    run: async fixture => {
      const endpoints = watched(fixture.namer.replicas(idOf(fixture)))
      await fixture.settle()
      const good = endpoints.at(-1)
      await fixture.setFailing?.(true)
      const failing = endpoints.at(-1)
      expect(failing).toMatchObject({ kind: 'ok', value: good?.kind === 'ok' ? good.value : {} })
      expect(failing?.kind === 'ok' && failing.stale?.reason.message).toBeTruthy()
      await fixture.setFailing?.(false)
      expect(endpoints.at(-1)).toEqual(good)
    },
  },
  {
    title: 'says what is wrong when its backend fails and never answered',
    needs: 'setFailing',
    run: async fixture => {
      await fixture.setFailing?.(true)
      const endpoints = watched(fixture.namer.replicas(idOf(fixture)))
      await fixture.settle()
      const last = endpoints.at(-1)
      expect(last?.kind === 'failed' && last.error.message).toBeTruthy()
    },
  },
]

/** Runs every law; those that need what the kind `lacks` by its nature are no laws of it. */
export function namerContract(name: string, make: () => Promise<NamerFixture>, lacks: readonly Need[] = []): void {
  describe(`${name} keeps the laws of a namer:`, () => {
    for (const { title, needs, run } of laws) {
      if (needs !== undefined && lacks.includes(needs)) continue
      it(title, async () => {
        const fixture = await make()
        try {
          if (needs !== undefined) expect(fixture[needs]).toBeDefined()
          await run(fixture)
        } finally {
          await fixture.dispose()
        }
      })
    }
  })
}
