// Watchers, opens and derivations that act on the kernel while it acts on them.
import { expect, test } from 'vitest'
import type { Sink, Unwatch } from '../../watch/cell.ts'
import { createKernel } from '../../watch/kernel.ts'
import { runSourceLoop } from '../../watch/source-loop.ts'
import { ok, pending, type State } from '../../watch/state.ts'
import { collect, createBench, nothing, okValue } from './kernel-bench.fixture.ts'

const kernelModule = { createKernel, runSourceLoop }

test('a watcher that ends another watch during delivery silences it at once', () => {
  const { kernel, clock } = createBench(kernelModule)
  const input = kernel.input('input', { initial: 0 })
  let endOther: Unwatch = nothing
  input.watch(state => {
    if (okValue(state) === 1) endOther()
  })
  const other = collect(input)
  endOther = other.unwatch
  input.set(1)
  clock.settle()
  expect(other.seen).toEqual([ok(0)])
})

test('a watcher that watches during delivery is given the present state at once and the next change in its flush', () => {
  const { kernel, clock } = createBench(kernelModule)
  const input = kernel.input('input', { initial: 0 })
  const inner: State<number>[] = []
  input.watch(state => {
    if (okValue(state) === 1) input.watch(seen => inner.push(seen))
  })
  input.set(1)
  clock.settle()
  input.set(2)
  clock.settle()
  expect(inner).toEqual([ok(1), ok(2)])
})

test('a source that sets an input already read in the same derivation mixes no versions and leaves nobody behind', () => {
  const { kernel, clock } = createBench(kernelModule)
  const input = kernel.input('input', { initial: 0 })
  const doubled = kernel.derive('doubled', read => ok((okValue(read(input)) ?? 0) * 2))
  const source = kernel.source<number>('source', sink => {
    input.set(5)
    sink.set(1)
    return nothing
  })
  const sum = kernel.derive('sum', read => ok(`${okValue(read(doubled))} ${okValue(read(source))}`))
  const { seen } = collect(sum)
  clock.settle()
  input.set(6)
  clock.settle()
  expect(seen).toEqual([ok('10 1'), ok('12 1')])
})

test('a watch on the cell that is being computed gives what is known and then the result', () => {
  const { kernel, clock } = createBench(kernelModule)
  const seen: State<number>[] = []
  const source = kernel.source<number>('source', sink => {
    derived.watch(state => seen.push(state))
    sink.set(1)
    return nothing
  })
  const derived = kernel.derive('derived', read => read(source))
  collect(derived)
  clock.settle()
  expect(seen).toEqual([pending, ok(1)])
})

test('a derivation whose last watcher leaves while it is computed retains nothing', () => {
  const { kernel, clock } = createBench(kernelModule)
  const input = kernel.input('input', { initial: 0 })
  const abort = new AbortController()
  const derived = kernel.derive('derived', read => {
    if (okValue(read(input)) === 1) abort.abort()
    return read(input)
  })
  const { seen } = collect(derived, abort.signal)
  input.set(1)
  clock.settle()
  expect(seen).toEqual([ok(0)])
  expect(kernel.counts()).toMatchObject({ watchers: 0, cells: 0 })
})

test('an open that aborts its only watch is closed again and delivers nothing', () => {
  const { kernel, clock } = createBench(kernelModule)
  const abort = new AbortController()
  let closes = 0
  const source = kernel.source<number>('source', sink => {
    abort.abort()
    sink.set(1)
    return () => {
      closes++
    }
  })
  const { seen } = collect(source, abort.signal)
  clock.settle()
  expect([seen, closes, clock.waiting]).toEqual([[], 1, 0])
})

test('a close that watches its source again opens it again', () => {
  const { kernel, clock } = createBench(kernelModule)
  let opens = 0
  const source = kernel.source<number>('source', sink => {
    sink.set(++opens)
    return () => {
      if (opens === 1) collect(source)
    }
  })
  const pool = kernel.pool(
    () => source,
    (key: string) => key,
  )
  collect(pool.at('key')).unwatch()
  clock.advance(10)
  expect([opens, source.peek(), pool.size]).toEqual([2, ok(2), 1])
})

test('a kernel closed by a watcher delivers nothing more, closes its sources and holds no timer', () => {
  const { kernel, clock } = createBench(kernelModule)
  const input = kernel.input('input', { initial: 0 })
  const sinks: Sink<number>[] = []
  let closes = 0
  const source = kernel.source<number>('source', sink => {
    sinks.push(sink)
    return () => {
      closes++
      input.set(9)
    }
  })
  const ofSource = collect(source)
  input.watch(state => {
    if (okValue(state) === 1) kernel.close()
  })
  const late = collect(input)
  input.set(1)
  sinks[0]?.set(1)
  clock.settle()
  sinks[0]?.set(2)
  const after = collect(input)
  late.unwatch()
  clock.advance(100)
  expect([late.seen, ofSource.seen, after.seen, closes]).toEqual([[ok(0)], [pending], [], 1])
  expect([clock.waiting, kernel.counts().watchers, kernel.counts().cells]).toEqual([0, 0, 0])
})

test('a source whose open closes the kernel is closed once', () => {
  const { kernel } = createBench(kernelModule)
  let closes = 0
  const source = kernel.source<number>('source', () => {
    kernel.close()
    return () => {
      closes++
    }
  })
  collect(source)
  expect(closes).toBe(1)
})

test('an onError that throws does not stop the flush', () => {
  const { kernel, clock } = createBench({
    ...kernelModule,
    createKernel: options =>
      createKernel({
        ...options,
        onError: error => {
          throw error
        },
      }),
  })
  const input = kernel.input('input', { initial: 0 })
  input.watch(state => {
    if (okValue(state) === 1) throw new Error('watcher')
  })
  const { seen } = collect(input)
  input.set(1)
  expect(() => clock.turn()).toThrow('watcher')
  clock.settle()
  expect(seen).toEqual([ok(0), ok(1)])
})

test('an observer of a closed kernel is told nothing, and its end harms nobody', () => {
  const { kernel, clock } = createBench(kernelModule)
  const input = kernel.input('input', { initial: 0 })
  const early = collect(input)
  kernel.close()
  const seen: State<number>[] = []
  const observation = input.observe({ deliver: state => seen.push(state) })
  observation.end()
  observation.end()
  early.unwatch()
  input.set(1)
  clock.settle()
  expect([seen, early.seen, kernel.counts().watchers, clock.waiting]).toEqual([[], [ok(0)], 0, 0])
})
