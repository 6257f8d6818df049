// Pools: one cell per key while it is observed, nothing after.
import { expect, test } from 'vitest'
import { createKernel } from '../../watch/kernel.ts'
import { runSourceLoop } from '../../watch/source-loop.ts'
import { ok } from '../../watch/state.ts'
import { collect, countingSource, createBench } from './kernel-bench.fixture.ts'

const kernelModule = { createKernel, runSourceLoop }

function createPool() {
  const { kernel, clock } = createBench(kernelModule)
  const pool = kernel.pool(
    (key: string) => kernel.derive(key, () => ok(key)),
    key => key,
  )
  return { kernel, clock, pool }
}

test('a key has one cell while it is observed, whoever asked for it first', () => {
  const { kernel, pool } = createPool()
  const [first, second] = [pool.at('a'), pool.at('a')]
  const outer = kernel.derive('outer', read => read(first))
  const watches = [collect(second), collect(first), collect(outer), collect(pool.at('a'))]
  const { cells, evaluations } = kernel.counts()
  expect([cells, evaluations, pool.size, [...pool.keys()]]).toEqual([2, 2, 1, ['a']])
  for (const { unwatch } of watches) unwatch()
  expect(pool.size).toBe(0)
  collect(first)
  expect([collect(second).seen, pool.size, kernel.counts().cells]).toEqual([[ok('a')], 1, 1])
})

test('a cell that was only looked at is not kept', () => {
  const { kernel, pool } = createPool()
  const outer = kernel.derive('outer', read => read(pool.at('a')))
  expect([pool.at('a').peek(), outer.peek(), pool.size]).toEqual([ok('a'), ok('a'), 0])
})

test('a pooled source stays through its linger', () => {
  const { kernel, clock } = createBench(kernelModule)
  const { cell, counts } = countingSource(kernel, 10)
  const pool = kernel.pool(
    (_: string) => cell,
    key => key,
  )
  collect(pool.at('a')).unwatch()
  expect(pool.size).toBe(1)
  collect(pool.at('a')).unwatch()
  clock.advance(10)
  expect([pool.size, counts]).toEqual([0, { opens: 1, closes: 1 }])
})

test('a cell cannot be in two pools', () => {
  const { kernel, pool } = createPool()
  const other = kernel.pool(
    (key: string) => pool.at(key),
    key => key,
  )
  collect(pool.at('a'))
  expect(() => other.at('a').peek()).toThrow('a pool needs a cell of its own')
})
