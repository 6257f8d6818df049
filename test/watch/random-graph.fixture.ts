// Random graphs of cells, played on a kernel beside a model that computes everything anew from what was set. Every
// broken promise is noted with the number of the law that it breaks.
import type { Cell, Input, Kernel, Read, Sink, Unwatch, Watcher } from '../../watch/cell.ts'
import type { KernelOptions } from '../../watch/kernel.ts'
import { failed, ok, pending, type Stale, type State } from '../../watch/state.ts'
import { FakeClock } from '../fakes/clock.fake.ts'

export type CreateKernel = (options: KernelOptions) => Kernel
export type Violation = { readonly law: number; readonly what: string }

/** What was said of a cell that is set; the model's whole memory. */
type Told = { shown: State<number> }
type Subject = {
  readonly cell: Cell<number>
  readonly told?: Told
  readonly formula?: Formula
  readonly source?: Backend
}
type Formula = (
  read: (subject: number, affects?: (before: number, after: number) => boolean) => State<number>,
) => State<number>
type Backend = { sink: Sink<number> | undefined; isOpen: boolean }
type Mode = 'plain' | 'throws' | 'sets' | 'leaves' | 'watches'
type Watching = { readonly subject: number; last: State<number> | undefined; deliveredInTurn: number; end: Unwatch }

const modes: readonly Mode[] = ['plain', 'plain', 'throws', 'sets', 'leaves', 'watches']
const modulus = 5

/** A clock that knows which turn it is in. */
class CountingClock extends FakeClock {
  turns = 0
  isTurning = false

  override turn(): void {
    this.turns++
    this.isTurning = true
    super.turn()
    this.isTurning = false
  }
}

/** Decides everything: bytes one after the other, then zeros. */
class Tape {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  pick(count: number): number {
    return (this.#bytes[this.#at++] ?? 0) % count
  }
}

function next(told: Told, state: State<number>): void {
  told.shown = state
}

function tellFailure(told: Told, since: number): void {
  const last = told.shown
  const reason = new Error('down')
  next(told, last.kind === 'ok' ? ok(last.value, last.stale ?? { since, reason }) : failed(reason))
}

function formulaOf(tape: Tape, count: number): Formula {
  const [a, b, c] = [tape.pick(count), tape.pick(count), tape.pick(count)]
  const then = (state: State<number>, go: (value: number) => State<number>): State<number> =>
    state.kind === 'ok' ? go(state.value) : state
  const half = (value: number): number => value >> 1
  const formulas: readonly Formula[] = [
    read => then(read(a), x => then(read(b), y => ok((x + y) % modulus))),
    read => then(read(a), x => (x % 2 === 0 ? read(b) : read(c))),
    read => then(read(a), x => (x % 2 === 0 ? ok(1) : then(read(b), y => ok(y)))),
    read =>
      then(
        read(a, (before, after) => half(before) !== half(after)),
        x => ok(half(x)),
      ),
    read =>
      then(
        read(a, (x, y) => x % 2 !== y % 2),
        x =>
          then(
            read(a, (p, q) => half(p) !== half(q)),
            y => ok(((x % 2) + half(y)) % modulus),
          ),
      ),
    read =>
      then(read(a), x => {
        if (x === 0) throw new Error('zero')
        return ok(x)
      }),
    read => {
      const [x, y] = [read(a), read(b)]
      return ok((x.kind === 'ok' ? x.value : 1) + (y.kind === 'ok' ? y.value : 2))
    },
  ]
  return formulas[tape.pick(formulas.length)] ?? (() => pending)
}

/** A watch by way of objects. */
function observe<T>(cell: Cell<T>, deliver: Watcher<T>, signal: AbortSignal): Unwatch {
  const observation = cell.observe({ deliver })
  signal.addEventListener('abort', () => observation.end(), { once: true })
  return () => observation.end()
}

export class RandomGraph {
  readonly clock = new CountingClock()
  readonly kernel: Kernel
  readonly violations: Violation[] = []
  readonly #tape: Tape
  readonly #subjects: Subject[] = []
  readonly #inputs: { readonly input: Input<number>; readonly told: Told }[] = []
  readonly #sources: { readonly backend: Backend; readonly told: Told }[] = []
  readonly #watching = new Set<Watching>()
  #isDelivering = false
  #setInTurn = -1
  #thrown = 0
  #reported = 0

  constructor(createKernel: CreateKernel, bytes: Uint8Array) {
    this.#tape = new Tape(bytes)
    this.kernel = createKernel({ clock: this.clock, onError: () => this.#reported++ })
    const pick = (count: number): number => this.#tape.pick(count)
    for (let i = 1 + pick(3); i > 0; i--) this.#addInput(pick(2) === 0 ? pick(modulus) : undefined)
    for (let i = pick(3); i > 0; i--) this.#addSource(pick(2) === 0 ? pick(modulus) : undefined, pick(3) * 4, pick(4))
    for (let i = 1 + pick(7); i > 0; i--) this.#addDerived(formulaOf(this.#tape, this.#subjects.length))
  }

  /** Plays the tape to its end, then lets everyone leave. */
  play(): readonly Violation[] {
    while (!this.#tape.isAtEnd) this.#act()
    this.#checkSettled()
    for (const watching of this.#watching) watching.end()
    this.clock.advance(20)
    const { watchers, cells, openSources } = this.kernel.counts()
    const left = { watchers, cells, openSources, timers: this.clock.waiting }
    for (const [what, count] of Object.entries(left)) if (count !== 0) this.#note(16, `${count} ${what} are left`)
    if (this.#sources.some(({ backend }) => backend.isOpen)) this.#note(16, 'an upstream watch is left open')
    if (this.#thrown !== this.#reported) this.#note(10, 'a throw was not reported')
    return this.violations
  }

  #note(law: number, what: string): void {
    this.violations.push({ law, what })
  }

  #addInput(initial: number | undefined): void {
    const options = initial === undefined ? {} : { initial }
    const input = this.kernel.input<number>(`input${this.#subjects.length}`, options)
    const told: Told = { shown: initial === undefined ? pending : ok(initial) }
    this.#inputs.push({ input, told })
    this.#subjects.push({ cell: input, told })
  }

  /** `answer` comes while it is opened, after a set of an input if there is that one; without it, it waits to be told. */
  #addSource(answer: number | undefined, lingerMs: number, inputToSet: number): void {
    const backend: Backend = { sink: undefined, isOpen: false }
    const told: Told = { shown: pending }
    const open = (sink: Sink<number>): (() => void) => {
      if (backend.isOpen) this.#note(5, 'opened while it was open')
      backend.isOpen = true
      backend.sink = sink
      if (answer !== undefined) {
        this.#set(inputToSet, answer)
        next(told, ok(answer))
        sink.set(answer)
      }
      return () => {
        if (!backend.isOpen) this.#note(6, 'closed while it was closed')
        backend.isOpen = false
        next(told, pending)
        sink.set(4)
      }
    }
    const cell = this.kernel.source(`source${this.#subjects.length}`, open, { lingerMs })
    this.#sources.push({ backend, told })
    this.#subjects.push({ cell, told, source: backend })
  }

  #addDerived(formula: Formula): void {
    const subjects = this.#subjects.slice()
    const compute = (read: Read): State<number> =>
      formula((index, affects) => {
        const subject = subjects[index]
        return subject === undefined ? pending : read(subject.cell, affects)
      })
    const cell = this.kernel.derive(`derived${subjects.length}`, compute)
    this.#subjects.push({ cell, formula })
  }

  /** The state computed anew from what was told; notes what it read in `used`. */
  #model(index: number, used: Set<Subject>): State<number> {
    const subject = this.#subjects[index]
    if (subject === undefined) return pending
    used.add(subject)
    if (subject.told !== undefined) return subject.told.shown
    let oldest: Stale | undefined
    try {
      const state = subject.formula?.(at => {
        const seen = this.#model(at, used)
        if (
          seen.kind === 'ok' &&
          seen.stale !== undefined &&
          !(oldest !== undefined && oldest.since <= seen.stale.since)
        )
          oldest = seen.stale
        return seen
      })
      return state?.kind === 'ok' ? ok(state.value, oldest) : (state ?? pending)
    } catch (error) {
      return failed(error instanceof Error ? error : new Error('thrown'))
    }
  }

  #act(): void {
    const { clock } = this
    const pick = (count: number): number => this.#tape.pick(count)
    const acts: readonly (() => void)[] = [
      () => this.#set(pick(this.#inputs.length), pick(modulus)),
      () => this.#set(pick(this.#inputs.length), pick(modulus)),
      () => this.#failInput(pick(this.#inputs.length)),
      () => this.#tellSource(pick(3), pick(modulus + 1)),
      () => this.#watch(pick(this.#subjects.length), modes[pick(modes.length)] ?? 'plain'),
      () => this.#watch(pick(this.#subjects.length), modes[pick(modes.length)] ?? 'plain'),
      () => [...this.#watching][pick(6)]?.end(),
      () => this.#peek(pick(this.#subjects.length)),
      () => clock.turn(),
      () => clock.advance(pick(6)),
      () => this.#checkSettled(),
    ]
    acts[pick(acts.length)]?.()
  }

  #set(index: number, value: number): void {
    const at = this.#inputs[index]
    if (at === undefined) return
    next(at.told, ok(value))
    at.input.set(value)
  }

  #failInput(index: number): void {
    const at = this.#inputs[index]
    if (at === undefined) return
    tellFailure(at.told, this.clock.now())
    at.input.fail(new Error('down'))
  }

  #tellSource(index: number, value: number): void {
    const at = this.#sources[index]
    if (at === undefined) return
    if (at.backend.isOpen) {
      if (value === modulus) tellFailure(at.told, this.clock.now())
      else next(at.told, ok(value))
    }
    if (value === modulus) at.backend.sink?.fail(new Error('down'))
    else at.backend.sink?.set(value)
  }

  #peek(index: number): void {
    const state = this.#subjects[index]?.cell.peek()
    if (state !== undefined) this.#compare(2, index, state, 'peeked')
  }

  #compare(law: number, index: number, state: State<number>, how: string): void {
    const expected = show(this.#model(index, new Set()))
    if (show(state) !== expected) this.#note(law, `${how} ${show(state)}, should be ${expected}`)
  }

  #watch(index: number, mode: Mode): void {
    const subject = this.#subjects[index]
    if (subject === undefined) return
    const abort = new AbortController()
    const watching: Watching = {
      subject: index,
      last: undefined,
      deliveredInTurn: -1,
      end: () => this.#leave(watching, abort),
    }
    this.#watching.add(watching)
    const deliver = (state: State<number>): void => this.#deliver(watching, state, mode)
    const unwatch =
      mode === 'plain' ? observe(subject.cell, deliver, abort.signal) : subject.cell.watch(deliver, abort.signal)
    if (abort.signal.aborted) unwatch()
    else if (watching.last === undefined) this.#note(1, 'nothing was delivered by watch')
  }

  #leave(watching: Watching, abort: AbortController): void {
    this.#watching.delete(watching)
    abort.abort('left') // a reason of its own saves the making of a DOMException
  }

  #deliver(watching: Watching, state: State<number>, mode: Mode): void {
    const isFirst = watching.last === undefined
    if (!this.#watching.has(watching)) this.#note(9, 'delivered after it had left')
    if (!isFirst) this.#checkRepeated(watching, state)
    this.#compare(2, watching.subject, state, 'delivered')
    watching.last = state
    const outer = this.#isDelivering
    this.#isDelivering = true
    try {
      this.#behave(watching, isFirst, mode)
    } finally {
      this.#isDelivering = outer
    }
  }

  #checkRepeated(watching: Watching, state: State<number>): void {
    const { turns, isTurning } = this.clock
    const law = this.#setInTurn === turns ? 13 : 4
    if (this.#isDelivering) this.#note(13, 'delivered inside another delivery')
    if (!isTurning) this.#note(law, 'delivered outside a flush')
    if (watching.deliveredInTurn === turns) this.#note(law, 'delivered twice in a flush')
    if (watching.last !== undefined && show(watching.last) === show(state)) this.#note(3, 'delivered an equal value')
    watching.deliveredInTurn = turns
  }

  #behave(watching: Watching, isFirst: boolean, mode: Mode): void {
    if (mode === 'throws') {
      this.#thrown++
      throw new Error('a watcher threw')
    }
    if (mode === 'leaves' && !isFirst) watching.end()
    if (mode === 'watches' && !isFirst) this.#watch((watching.subject + 1) % this.#subjects.length, 'plain')
    if (mode === 'sets' && this.#tape.pick(4) > 0) {
      this.#setInTurn = this.clock.turns
      this.#set(this.#tape.pick(this.#inputs.length), this.#tape.pick(modulus))
    }
  }

  #checkSettled(): void {
    this.clock.settle()
    for (const { subject, last } of this.#watching) {
      const used = new Set<Subject>()
      const expected = show(this.#model(subject, used))
      if (last !== undefined && show(last) !== expected) this.#note(4, `left with ${show(last)}, not ${expected}`)
      for (const { source } of used) if (source?.isOpen === false) this.#note(5, 'a source in use is not open')
    }
  }
}

function show(state: State<number>): string {
  if (state.kind === 'ok')
    return `${state.value}${state.stale === undefined ? '' : ` stale since ${state.stale.since}`}`
  return state.kind === 'failed' ? `failed: ${state.error.message}` : 'pending'
}
