// Random histories of backends beside a model that has no timers: every name shows what the model says, after every step.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { DiscoveryRule } from '../../interpreters/discovery.ts'
import { createScripted, type Scripted, type ScriptedName } from './discovery.fixture.ts'
import { DiscoveryModel, tickMs } from './discovery-model.fixture.ts'

const count = 6
const nameOf = (index: number): string => `n${index}`

type Report = 'full' | 'none' | 'gone' | 'fail' | 'contact'

type Step =
  | { readonly kind: Report | 'toggle'; readonly at: number }
  | { readonly kind: 'lose' | 'restore'; readonly many: number }
  | { readonly kind: 'pass'; readonly ticks: number }
  | { readonly kind: 'release' }

const index = fc.nat(count - 1)
const one = (kind: Report | 'toggle') => fc.record({ kind: fc.constant(kind), at: index })
const some = (kind: 'lose' | 'restore') =>
  fc.record({ kind: fc.constant(kind), many: fc.integer({ min: 1, max: count }) })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: one('full') },
  { weight: 3, arbitrary: one('none') },
  { weight: 3, arbitrary: one('gone') },
  { weight: 1, arbitrary: one('fail') },
  { weight: 1, arbitrary: one('contact') },
  { weight: 1, arbitrary: one('toggle') },
  { weight: 2, arbitrary: some('lose') },
  { weight: 2, arbitrary: some('restore') },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('pass' as const), ticks: fc.integer({ min: 1, max: 8 }) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'release' as const }) },
)

/** The discovery and its model, told the same. */
class Pair {
  readonly #scripted: Scripted
  readonly #model: DiscoveryModel
  /** Those that are watched. */
  readonly #names = new Map<number, ScriptedName>()
  /** The backend's side of every name, watched or held. */
  readonly #backend: ScriptedName[] = []
  #version = 0

  constructor(rule: DiscoveryRule) {
    this.#scripted = createScripted({ rule })
    this.#model = new DiscoveryModel(rule)
    for (let i = 0; i < count; i++) this.#toggle(i)
  }

  play(step: Step): void {
    if ('many' in step) this.#playMany(step.kind, step.many)
    else if (step.kind === 'pass') this.#pass(step.ticks)
    else if (step.kind === 'release') expect(this.#scripted.discovery.guard?.release() ?? 0).toBe(this.#model.release())
    else if (step.kind === 'toggle') this.#toggle(step.at)
    else this.#playOne(step.kind, step.at)
    this.#scripted.clock.settle()
  }

  check(): void {
    const shown = [...this.#names].map(([i, { last }]) => [nameOf(i), last])
    expect(shown).toEqual([...this.#names.keys()].map(i => [nameOf(i), this.#model.shown(nameOf(i))]))
    const held = this.#scripted.discovery.guard?.held().map(({ name }) => name) ?? []
    expect(held.toSorted()).toEqual(this.#model.held.toSorted())
  }

  end(): void {
    for (const name of this.#names.values()) name.stop()
    this.#scripted.discovery.guard?.release()
    this.#scripted.clock.settle()
    expect([this.#scripted.clock.waiting, this.#scripted.kernel.counts().openSources]).toEqual([0, 0])
  }

  #pass(ticks: number): void {
    this.#scripted.clock.advance(ticks * tickMs)
    this.#model.pass(ticks)
  }

  #playMany(kind: 'lose' | 'restore', many: number): void {
    for (let i = 0; i < many; i++) this.#playOne(kind === 'lose' ? 'none' : 'full', i)
  }

  #playOne(kind: Report, at: number): void {
    const name = this.#backend[at]
    if (name === undefined || !this.#model.isFollowed(nameOf(at))) return
    if (kind === 'fail') name.sink.fail(new Error('down'))
    else if (kind === 'contact') name.sink.contact()
    else if (kind === 'gone') name.isGone()
    else name.has(...(kind === 'full' ? [`10.0.0.${++this.#version}`] : []))
    if (kind === 'fail') this.#model.fail(nameOf(at))
    else if (kind === 'contact') this.#model.contact(nameOf(at))
    else this.#model.say(nameOf(at), kind === 'full' ? `10.0.0.${this.#version}:80` : kind)
  }

  #toggle(at: number): void {
    const name = this.#names.get(at)
    if (name === undefined) {
      const opened = this.#scripted.name(nameOf(at))
      this.#names.set(at, opened)
      this.#backend[at] = opened
      this.#model.open(nameOf(at))
    } else {
      name.stop()
      this.#names.delete(at)
      this.#model.close(nameOf(at))
    }
  }
}

const massEmpty = { maxShare: 0.5, windowMs: 600, minNames: 3 }

it.each<[string, DiscoveryRule]>([
  ['with a guard', { emptyIsNeg: true, emptyHoldDownMs: 300, massEmpty }],
  ['with a guard, where empty is not neg', { emptyIsNeg: false, emptyHoldDownMs: 300, massEmpty }],
  ['with a guard and no hold-down', { emptyIsNeg: true, emptyHoldDownMs: 0, massEmpty }],
  ['without a guard', { emptyIsNeg: true, emptyHoldDownMs: 300, massEmpty: false }],
])('names show what the model says %s', (_title, rule) => {
  const property = fc.property(fc.array(step, { maxLength: 60, size: 'max' }), steps => {
    const pair = new Pair(rule)
    for (const each of steps) {
      pair.play(each)
      pair.check()
    }
    pair.end()
  })
  fc.assert(property, { seed: 4321, numRuns: 40 })
})
