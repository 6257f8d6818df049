// Rules whose evaluation would take more memory or time than there is, though none of its steps is too many.
import { describe, expect, it } from 'vitest'
import { bind } from '../../interpreters/bind.ts'
import { delegate } from '../../interpreters/delegate.ts'
import type { Namer } from '../../interpreters/namer.ts'
import { joinNamers } from '../../interpreters/namers.ts'
import type { Dentry } from '../../naming/dtab.ts'
import { NamingError } from '../../naming/errors.ts'
import { formatDentry } from '../../naming/format.ts'
import { createLookupIndex } from '../../naming/lookup-index.ts'
import { leaf } from '../../naming/name-tree.ts'
import { showPath } from '../../naming/path.ts'
import { dentrySize, pathSize } from '../../naming/text-size.ts'
import { eachLeaf } from '../../naming/tree-leaves.ts'
import { ok, type State } from '../../watch/state.ts'
import { dtabOf, pathOf } from './world.fixture.ts'

const boundNamer: Namer = {
  prefix: ['#', 'x'],
  lookup: () => ok(leaf({ kind: 'bound', id: ['#', 'x'], residual: [] })),
  replicas: () => {
    throw new Error('not asked for')
  },
  close: () => {},
}

const namers = joinNamers([boundNamer], [])

function evaluated(text: string, name = '/a') {
  const input = { rules: createLookupIndex(dtabOf(text)), namers, read: <T>(cell: { peek(): State<T> }) => cell.peek() }
  const path = pathOf(name)
  return { binding: bind({ ...input, path }), explanation: delegate({ ...input, tree: leaf(path) }) }
}

function messageOf(state: State<unknown>): string {
  return state.kind === 'failed' && state.error instanceof NamingError && state.error.code === 'evaluation-limit'
    ? state.error.message
    : `not at a limit: ${state.kind}`
}

const tooLarge = /^\/a\S* leads through more than \d+ characters of paths and rules/

describe('the evaluation of one name', () => {
  it('ends when its paths grow by much at every step', () => {
    const { binding, explanation } = evaluated(`/a => /a${'/x'.repeat(20_000)} & /a/y`)
    expect(messageOf(binding.state)).toMatch(tooLarge)
    expect(messageOf(explanation.state)).toMatch(tooLarge)
    expect(binding.lookedUp.length + explanation.lookedUp.length).toBeLessThan(50)
  })

  it('ends when the trees of its rules are wide at every step', () => {
    const { binding, explanation } = evaluated(`/a => ${'~ & '.repeat(50_000)} /a/x & /a/y`)
    expect(messageOf(binding.state)).toMatch(tooLarge)
    expect(messageOf(explanation.state)).toMatch(tooLarge)
    expect(binding.lookedUp.length + explanation.lookedUp.length).toBeLessThan(50)
  })

  it('ends when very many rules match at every step', () => {
    const { binding, explanation } = evaluated(`${'/ => ~ ; '.repeat(50_000)} /a => /a/x & /a/y`)
    expect(messageOf(binding.state)).toMatch(tooLarge)
    expect(messageOf(explanation.state)).toMatch(tooLarge)
    expect(binding.lookedUp.length + explanation.lookedUp.length).toBeLessThan(50)
  })

  it('has no result that doubles at every step, though each path is looked up once', () => {
    const doubling = (steps: number): string => {
      const rules = Array.from({ length: steps }, (_, i) => `/a/${i} => /a/${i + 1} & /a/${i + 1}`)
      return `${rules.join(' ; ')} ; /a/${steps} => /#/x`
    }
    const { binding } = evaluated(doubling(8), '/a/0')
    let leaves = 0
    if (binding.state.kind === 'ok') eachLeaf(binding.state.value, () => leaves++)
    expect(leaves).toBe(2 ** 8)
    expect(messageOf(evaluated(doubling(60), '/a/0').binding.state)).toMatch(tooLarge)
  })

  it('shows no explanation in which every alternative repeats a large rule', () => {
    expect(messageOf(evaluated(`/a => ${'$ | '.repeat(5_000)} $`).explanation.state)).toMatch(tooLarge)
  })

  it('shows no explanation in which every alternative repeats a large path', () => {
    const path = `/a/${'b'.repeat(20_000)}`
    const { binding, explanation } = evaluated(`/a => ${'$ | '.repeat(900)} $`, path)
    expect(binding.state).toMatchObject({ kind: 'ok', value: { kind: 'empty' } })
    const message = messageOf(explanation.state)
    expect(message).toMatch(tooLarge)
    expect(message.length).toBeLessThan(400)
  })

  it('needs no more stack than there is, however rewrites and parentheses are mixed', () => {
    for (const [rewrites, levels] of [
      [95, 9],
      [74, 20],
      [1, 990],
      [2, 990],
    ] as const) {
      const nested = (to: string): string => `${'(~ | '.repeat(levels)}${to}${')'.repeat(levels)}`
      const rules = Array.from({ length: rewrites }, (_, i) => `/a/${i} => ${nested(`/a/${i + 1}`)}`)
      const { binding, explanation } = evaluated(`${rules.join(' ; ')} ; /a/${rewrites} => $`, '/a/0')
      const isRefused = rewrites * (levels + 2) > 1_100
      for (const { state } of [binding, explanation])
        if (isRefused) expect(messageOf(state)).toContain('leads through trees nested more than 1100 deep')
        else expect(state.kind).toBe('ok')
    }
  })

  it('has room for a union of a thousand names and for the explanation of three hundred', () => {
    const union = (size: number): string =>
      `/a => ${Array.from({ length: size }, (_, i) => `0.5 * /svc/some-service-${i}`).join(' & ')} ; /svc => /#/x`
    expect(evaluated(union(1_000)).binding.state.kind).toBe('ok')
    expect(evaluated(union(300)).explanation.state.kind).toBe('ok')
  })
})

describe('the size of a text', () => {
  it('is not less than it is and not twice as much', () => {
    const rules: readonly Dentry[] = dtabOf('/svc/*/x => 0.3*/#/io.l5d.fs/web & (/b | !) | ~ ; / => /')
    for (const rule of rules) {
      const { length } = formatDentry(rule).replaceAll('0.3*', '')
      expect(dentrySize(rule, 1_000)).toBeGreaterThanOrEqual(length - 6)
      expect(dentrySize(rule, 1_000)).toBeLessThan(2 * length)
    }
    expect(pathSize(['svc', 'web'])).toBe(showPath(['svc', 'web']).length)
    expect(pathSize([])).toBe(1)
  })

  it('is known to be more than a limit without the whole tree', () => {
    const [rule] = dtabOf(`/a => ${'/b | '.repeat(1_000)} /c`)
    expect(rule && dentrySize(rule, 50)).toBeLessThan(80)
  })
})
