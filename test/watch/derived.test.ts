// Derivations: what makes them run, how deep they may go, and what their errors do.
import { expect, test } from 'vitest'
import type { Cell, Read } from '../../watch/cell.ts'
import { createKernel } from '../../watch/kernel.ts'
import { runSourceLoop } from '../../watch/source-loop.ts'
import { ok } from '../../watch/state.ts'
import { collect, countingSource, createBench, okValue } from './kernel-bench.fixture.ts'

const kernelModule = { createKernel, runSourceLoop }

function plusOne(kernel: ReturnType<typeof createKernel>, name: string, from: Cell<number>): Cell<number> {
  return kernel.derive(name, read => {
    const state = read(from)
    return state.kind === 'ok' ? ok(state.value + 1) : state
  })
}

test('a live chain of 10,000 cells is updated and let go without recursion', () => {
  const { kernel, clock } = createBench(kernelModule)
  const input = kernel.input('input', { initial: 0 })
  let top: Cell<number> = input
  const steps = Array.from({ length: 10_000 }, (_, i) => {
    top = plusOne(kernel, `step${i}`, top)
    return collect(top).unwatch
  })
  const { seen, unwatch } = collect(top)
  for (const end of steps) end()
  input.set(1)
  clock.settle()
  expect(seen).toEqual([ok(10_000), ok(10_001)])
  unwatch()
  expect(kernel.counts().cells).toBe(0)
})

test('a first computation through more cells than the limit fails and names them', () => {
  const { kernel } = createBench(kernelModule)
  let top: Cell<number> = kernel.input('input', { initial: 0 })
  for (let i = 0; i < 600; i++) top = plusOne(kernel, `step${i}`, top)
  const { seen, unwatch } = collect(top)
  expect(seen[0]).toMatchObject({ kind: 'failed' })
  expect(seen[0]?.kind === 'failed' && seen[0].error.message).toMatch(/^more than 500 cells .*step599 > step598/)
  unwatch()
  expect(kernel.counts().cells).toBe(0)
})

test('only the derivations that a change affects run again', () => {
  const { kernel, clock } = createBench(kernelModule)
  const table = kernel.input('table', { initial: { a: 1, b: 1 } })
  const cells = (['a', 'b'] as const).map(key =>
    kernel.derive(key, read => {
      const state = read(table, (before, after) => before[key] !== after[key])
      return state.kind === 'ok' ? ok(state.value[key]) : state
    }),
  )
  const [a, b] = cells.map(cell => collect(cell))
  const before = kernel.counts().evaluations
  for (const value of [2, 3, 4]) {
    table.set({ a: 1, b: value })
    clock.settle()
  }
  expect(kernel.counts().evaluations - before).toBe(3)
  expect([a?.seen, b?.seen]).toEqual([[ok(1)], [ok(1), ok(2), ok(3), ok(4)]])
})

test('a cell read twice with different affects runs again when either is affected', () => {
  const { kernel, clock } = createBench(kernelModule)
  const pair = kernel.input('pair', { initial: [0, 0] })
  const sum = kernel.derive('sum', read => {
    const left = okValue(read(pair, (a, b) => a[0] !== b[0]))?.[0] ?? 0
    const right = okValue(read(pair, (a, b) => a[1] !== b[1]))?.[1] ?? 0
    return ok(left + right)
  })
  const { seen } = collect(sum)
  for (const next of [
    [1, 0],
    [1, 5],
  ]) {
    pair.set(next)
    clock.settle()
  }
  expect(seen).toEqual([ok(0), ok(1), ok(6)])
})

test('an affects or an equals that throws is reported and counts as a change', () => {
  const { kernel, clock, errors } = createBench(kernelModule)
  const broken = (): never => {
    throw new Error('broken')
  }
  const input = kernel.input('input', { initial: 0, equals: broken })
  const derived = kernel.derive('derived', read => read(input, broken))
  const { seen } = collect(derived)
  input.set(1)
  clock.settle()
  expect(seen).toEqual([ok(0), ok(1)])
  expect(errors.length).toBeGreaterThan(1)
})

test('a read after the derivation ended, or of a cell of another kernel, is refused', () => {
  const { kernel } = createBench(kernelModule)
  const stranger = createBench(kernelModule).kernel.input('stranger', { initial: 0 })
  const input = kernel.input('input', { initial: 0 })
  let kept: Read | undefined
  collect(
    kernel.derive('keeps', read => {
      kept = read
      return ok(0)
    }),
  )
  expect(() => kept?.(input)).toThrow('keeps: read was called after its derivation ended')
  expect(collect(kernel.derive('mixes', read => read(stranger))).seen[0]).toMatchObject({
    error: new TypeError('stranger is not a cell of this kernel'),
  })
})

test('a peek at cells that nobody watches opens nothing and computes each once', () => {
  const { kernel } = createBench(kernelModule)
  const { cell, counts } = countingSource(kernel, 0)
  let top: Cell<number> = kernel.input('input', { initial: 1 })
  for (let i = 0; i < 30; i++) {
    const from = top
    top = kernel.derive(`level${i}`, read => ok((okValue(read(from)) ?? 0) + (okValue(read(from)) ?? 0)))
  }
  const withSource = kernel.derive('withSource', read => read(cell))
  expect([okValue(top.peek()), withSource.peek().kind]).toEqual([2 ** 30, 'pending'])
  expect(kernel.counts()).toMatchObject({ evaluations: 31, cells: 0 })
  expect(counts.opens).toBe(0)
})
