// The laws of the watch kernel, each as a check that throws when it is broken. Run on the kernel itself, on mutated
// copies of it, and on anything else put under the same face.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, test } from 'vitest'
import type { Sink, Watcher } from '../../watch/cell.ts'
import { failed, ok, pending } from '../../watch/state.ts'
import { cellCount, checkCycles } from '../watch/cycles.fixture.ts'
import {
  collect,
  countingSource,
  createBench,
  nothing,
  okValue,
  type WatchModule,
} from '../watch/kernel-bench.fixture.ts'
import { RandomGraph, type Violation } from '../watch/random-graph.fixture.ts'
import { checkLoop } from '../watch/source-loop.fixture.ts'

/** Throws, or rejects, when the law is broken. */
export type Law = {
  readonly law: number
  readonly title: string
  readonly check: (module: WatchModule) => void | Promise<void>
}

const tapes: readonly Uint8Array[] = fc.sample(fc.uint8Array({ minLength: 60, maxLength: 240, size: 'max' }), {
  seed: 1000,
  numRuns: 3000,
})

/** What each tape has broken, by the module that was played: a play shows all laws, so that they share it. */
const plays = new WeakMap<WatchModule, (readonly Violation[])[]>()

/** Plays so many of the random graphs and throws at the first that breaks this law. */
function playGraphs(module: WatchModule, law: number, graphs: number): void {
  const played = plays.get(module) ?? []
  plays.set(module, played)
  for (const [i, tape] of tapes.slice(0, graphs).entries()) {
    played[i] ??= new RandomGraph(module.createKernel, tape).play()
    const broken = played[i].filter(violation => violation.law === law)
    assert.deepEqual(broken, [], `graph ${i}`)
  }
}

function forAll<T>(law: number, values: fc.Arbitrary<T>, check: (value: T) => void): void {
  fc.assert(fc.property(values, check), { seed: 1000 + law, numRuns: 200 })
}

export const laws: readonly Law[] = [
  {
    law: 1,
    title: 'the first delivery is synchronous when a value exists, else pending',
    check: module => {
      forAll(1, fc.option(fc.integer(), { nil: undefined }), initial => {
        const { kernel } = createBench(module)
        const input = kernel.input<number>('input', initial === undefined ? {} : { initial })
        const twice = kernel.derive('twice', read => read(input))
        const expected = initial === undefined ? [pending] : [ok(initial)]
        for (const cell of [input, twice, twice]) assert.deepEqual(collect(cell).seen, expected)
        assert.deepEqual(collect(countingSource(kernel, 0, 5).cell).seen, [ok(5)])
      })
      playGraphs(module, 1, 200)
    },
  },
  {
    law: 2,
    title: 'no watcher, read or peek ever sees a glitch: every state is what the inputs give at that moment',
    check: module => playGraphs(module, 2, 3000),
  },
  {
    law: 3,
    title: 'an equal value is delivered to nobody',
    check: module => {
      const { kernel, clock } = createBench(module)
      const input = kernel.input('input', { initial: [1], equals: (a, b) => a[0] === b[0] })
      const { seen } = collect(input)
      input.set([1])
      clock.settle()
      input.set([2])
      input.set([1])
      clock.settle()
      assert.equal(seen.length, 1)
      playGraphs(module, 3, 1500)
    },
  },
  {
    law: 4,
    title: 'at most one delivery per flush, always the newest',
    check: module => {
      forAll(4, fc.array(fc.integer(), { minLength: 1 }), values => {
        const { kernel, clock } = createBench(module)
        const input = kernel.input<number>('input')
        const { seen } = collect(input)
        for (const value of values) input.set(value)
        clock.turn()
        assert.deepEqual(seen, [pending, ok(values.at(-1))])
      })
      playGraphs(module, 4, 2000)
    },
  },
  {
    law: 5,
    title: 'n watchers, one open',
    check: module => {
      forAll(5, fc.integer({ min: 1, max: 20 }), watchers => {
        const { kernel } = createBench(module)
        const { cell, counts } = countingSource(kernel, 0)
        const derived = kernel.derive('derived', read => read(cell))
        for (let i = 0; i < watchers; i++) collect(i % 3 === 0 ? derived : cell)
        assert.equal(counts.opens, 1)
      })
      playGraphs(module, 5, 500)
    },
  },
  {
    law: 6,
    title: 'the last leave closes once, after the linger',
    check: module => {
      forAll(
        6,
        fc.record({ watchers: fc.integer({ min: 1, max: 5 }), lingerMs: fc.integer({ min: 2, max: 50 }) }),
        at => {
          const { kernel, clock } = createBench(module)
          const { cell, counts } = countingSource(kernel, at.lingerMs)
          for (const { unwatch } of Array.from({ length: at.watchers }, () => collect(cell))) unwatch()
          clock.advance(at.lingerMs - 1)
          assert.equal(counts.closes, 0)
          clock.advance(1)
          assert.equal(counts.closes, 1)
          clock.advance(100)
          assert.equal(counts.closes, 1)
        },
      )
      playGraphs(module, 6, 500)
    },
  },
  {
    law: 7,
    title: 'a new watch during the linger opens nothing and finds the last value',
    check: module => {
      forAll(7, fc.integer({ min: 0, max: 9 }), leaveMs => {
        const { kernel, clock } = createBench(module)
        const { cell, counts } = countingSource(kernel, 10)
        collect(cell).unwatch()
        clock.advance(leaveMs)
        assert.deepEqual(collect(cell).seen, [ok(1)])
        clock.advance(100)
        assert.deepEqual(counts, { opens: 1, closes: 0 })
      })
    },
  },
  {
    law: 8,
    title: 'a branch switch keeps a shared upstream open',
    check: module => {
      forAll(8, fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1 }), switches => {
        const { kernel, clock } = createBench(module)
        const { cell, counts } = countingSource(kernel, 0)
        let computed = 0
        const shared = kernel.derive('shared', read => {
          computed++
          return read(cell)
        })
        const branches = [0, 1, 2].map(i => kernel.derive(`branch${i}`, read => ok((okValue(read(shared)) ?? 0) + i)))
        const which = kernel.input('which', { initial: 0 })
        const top = kernel.derive('top', read => read(branches[okValue(read(which)) ?? 0] ?? shared))
        const { seen } = collect(top)
        for (const branch of switches) {
          which.set(branch)
          clock.advance(1)
        }
        assert.equal(okValue(seen.at(-1)), 1 + ((switches.at(-1) ?? 0) % 3))
        assert.deepEqual({ ...counts, computed }, { opens: 1, closes: 0, computed: 1 })
      })
    },
  },
  {
    law: 9,
    title: 'a dispose called twice is harmless, and nothing is delivered after it',
    check: module => {
      const { kernel, clock } = createBench(module)
      const input = kernel.input('input', { initial: 0 })
      const [leaver, stayer] = [collect(input), collect(input)]
      input.set(1)
      leaver.unwatch()
      leaver.unwatch()
      clock.settle()
      assert.deepEqual([leaver.seen, stayer.seen], [[ok(0)], [ok(0), ok(1)]])
      assert.equal(kernel.counts().watchers, 1)
      playGraphs(module, 9, 200)
    },
  },
  {
    law: 10,
    title: 'a throwing watcher or derivation harms only itself',
    check: module => {
      const { kernel, clock, errors } = createBench(module)
      const input = kernel.input('input', { initial: 0 })
      const broken = new Error('broken')
      const throwing = kernel.derive('throwing', read => {
        if (okValue(read(input)) === 1) throw broken
        return ok('fine')
      })
      const throwingWatcher: Watcher<number> = () => {
        throw broken
      }
      input.watch(throwingWatcher)
      const [bystander, ofThrowing] = [collect(input), collect(throwing)]
      for (const value of [1, 2]) {
        input.set(value)
        clock.settle()
      }
      assert.deepEqual(bystander.seen, [ok(0), ok(1), ok(2)])
      assert.deepEqual(ofThrowing.seen, [ok('fine'), failed(broken), ok('fine')])
      assert.deepEqual(errors, [broken, broken, broken])
      playGraphs(module, 10, 200)
    },
  },
  {
    law: 11,
    title: 'a failing source keeps its last good value as ok and stale, since when it began to fail',
    check: module => {
      forAll(11, fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1 }), failures => {
        const { kernel, clock } = createBench(module)
        const sinks: Sink<number>[] = []
        const source = kernel.source<number>('source', sink => {
          sinks.push(sink)
          return nothing
        })
        const derived = kernel.derive('derived', read => ok((okValue(read(source)) ?? 0) + 1))
        const [direct, through] = [collect(source), collect(derived)]
        sinks[0]?.fail(new Error('down'))
        clock.settle()
        assert.deepEqual(direct.seen.at(-1), failed(new Error('down')))
        sinks[0]?.set(7)
        const since = clock.now()
        for (const wait of failures) {
          sinks[0]?.fail(new Error('down'))
          clock.advance(wait)
        }
        const stale = { since, reason: new Error('down') }
        assert.deepEqual([direct.seen.at(-1), through.seen.at(-1)], [ok(7, stale), ok(8, stale)])
        sinks[0]?.contact()
        sinks[0]?.setStale(6, new Error('doubted'))
        clock.settle()
        const doubted = { since, reason: new Error('doubted') }
        assert.deepEqual([direct.seen.at(-1), through.seen.at(-1)], [ok(6, doubted), ok(7, doubted)])
        sinks[0]?.set(7)
        clock.settle()
        assert.deepEqual([direct.seen.at(-1), through.seen.at(-1)], [ok(7), ok(8)])
      })
    },
  },
  {
    law: 12,
    title: 'a source loop ends only by close',
    check: module => {
      const outcomes = fc.array(fc.constantFrom('ends', 'rejects', 'throws'), { minLength: 1, maxLength: 12 })
      return fc.assert(
        fc.asyncProperty(outcomes, script => checkLoop(module, script)),
        { seed: 1012, numRuns: 100 },
      )
    },
  },
  {
    law: 13,
    title: 'a set inside a watcher is delivered in the next flush',
    check: module => {
      const { kernel, clock } = createBench(module)
      const input = kernel.input('input', { initial: 0 })
      const turns: [number, number | undefined][] = []
      let turn = 0
      input.watch(state => {
        turns.push([turn, okValue(state)])
        if (okValue(state) === 1) input.set(2)
      })
      input.set(1)
      for (turn = 1; turn <= 3; turn++) clock.turn()
      assert.deepEqual(turns, [
        [0, 0],
        [1, 1],
        [2, 2],
      ])
      playGraphs(module, 13, 1500)
    },
  },
  {
    law: 14,
    title: 'a cycle fails with the names of its cells, never hangs, and heals',
    check: module => {
      const cell = fc.nat(cellCount - 1)
      const circles = fc.record({
        edges: fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 12 }),
        script: fc.array(cell, { maxLength: 20 }),
      })
      forAll(14, circles, ({ edges, script }) => checkCycles(module, edges, script))
    },
  },
  {
    law: 15,
    title: 'an abort is a dispose',
    check: module => {
      const { kernel, clock } = createBench(module)
      const { cell, counts } = countingSource(kernel, 0)
      const abort = new AbortController()
      const { seen } = collect(cell, abort.signal)
      abort.abort()
      clock.advance(1)
      assert.deepEqual({ ...counts, watchers: kernel.counts().watchers }, { opens: 1, closes: 1, watchers: 0 })
      const late = collect(cell, abort.signal)
      late.unwatch()
      assert.deepEqual([seen.length, late.seen.length, counts.opens], [1, 0, 1])
    },
  },
  {
    law: 16,
    title: 'after all have left, no timer, node or upstream watch is retained',
    check: module => {
      const { kernel, clock } = createBench(module)
      const { cell } = countingSource(kernel, 5)
      const pool = kernel.pool(
        (key: string) => kernel.derive(key, read => read(cell)),
        key => key,
      )
      pool.at('peeked').peek()
      const watches = ['a', 'b', 'a'].map(key => collect(pool.at(key)))
      assert.deepEqual([...pool.keys()], ['a', 'b'])
      for (const { unwatch } of watches) unwatch()
      clock.advance(5)
      assert.deepEqual([pool.size, kernel.counts().cells, kernel.sources().length, clock.waiting], [0, 0, 0, 0])
      playGraphs(module, 16, 1500)
    },
  },
  {
    law: 17,
    title: 'a set between the turns of a flush reaches those not yet served in it, the others in the next one',
    check: module => {
      const { kernel, clock } = createBench(module)
      const left = kernel.input('left', { initial: 0 })
      const right = kernel.input('right', { initial: 0 })
      const both = kernel.derive('both', read => ok(`${okValue(read(left))}${okValue(read(right))}`))
      const watches = Array.from({ length: 1200 }, () => collect(both))
      // The first and last one served in each of the three turns.
      const countsOf = () => [0, 511, 512, 1023, 1024, 1199].map(at => watches[at]?.seen.length)
      left.set(1)
      clock.turn()
      assert.deepEqual(countsOf(), [2, 2, 1, 1, 1, 1])
      right.set(1)
      clock.turn()
      assert.deepEqual(countsOf(), [2, 2, 2, 2, 1, 1])
      clock.turn()
      assert.deepEqual(countsOf(), [2, 2, 2, 2, 2, 2])
      clock.turn()
      assert.deepEqual(countsOf(), [3, 3, 2, 2, 2, 2])
      assert.deepEqual(watches[0]?.seen, [ok('00'), ok('10'), ok('11')])
      assert.deepEqual(watches[600]?.seen, [ok('00'), ok('11')])
      assert.equal(clock.waiting, 0)
    },
  },
]

/** One test per law. */
export function describeWatchLaws(name: string, module: WatchModule): void {
  describe(`${name} keeps the laws of watching`, () => {
    for (const { title, check } of laws) test(title, () => check(module))
  })
}
