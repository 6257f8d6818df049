// A mirror and its origin in one thread: two kernels on one clock, and ports whose texts arrive when the test says so.
import { expect } from 'vitest'
import { WorkQueue } from '../../../api/push/work-queue.ts'
import type { DelegateTree, NamespaceSnapshot } from '../../../interpreters/interpreter.ts'
import { leaf } from '../../../naming/name-tree.ts'
import { showPath } from '../../../naming/path.ts'
import { OwnVersions } from '../../../server/servers/own-versions.ts'
import { ThreadMirror } from '../../../server/workers/mirror.ts'
import { MirrorOrigin } from '../../../server/workers/mirror-origin.ts'
import type { MirroredInterpreter } from '../../../server/workers/mirrored-requests.ts'
import type { TextPort } from '../../../server/workers/port-messages.ts'
import { StateTexts } from '../../../server/workers/state-texts.ts'
import type { Cell, Input, Kernel } from '../../../watch/cell.ts'
import { createKernel } from '../../../watch/kernel.ts'
import { ok, pending, type State } from '../../../watch/state.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'

/** One end of a way; what is posted waits in `sent` until it is delivered. */
export class FakePort implements TextPort {
  readonly sent: string[] = []
  private take: (text: string) => void = () => expect.fail('nobody listens')
  other: FakePort | undefined

  post(text: string): void {
    this.sent.push(text)
  }

  onText(take: (text: string) => void): void {
    this.take = take
  }

  /** Delivers up to so many texts; how many there were. */
  deliver(count = Number.POSITIVE_INFINITY): number {
    const due = this.sent.splice(0, count)
    for (const text of due) this.other?.take(text)
    return due.length
  }
}

function testKernel(clock: FakeClock): Kernel {
  return createKernel({ clock, onError: error => expect.fail(String(error)) })
}

/** Cells of which each may have any state, and an interpreter over them. */
export class AnyStates implements MirroredInterpreter {
  readonly #kernel: Kernel
  readonly #inputs = new Map<string, { readonly input: Input<State<object>>; readonly cell: Cell<object> }>()

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  set(name: string, state: State<object>): void {
    this.#at(name).input.set(state)
  }

  cell(name: string): Cell<object> {
    return this.#at(name).cell
  }

  // What a test sets is of the type that it asks for.
  bind = ({ path }: Parameters<MirroredInterpreter['bind']>[0]) =>
    this.cell(showPath(path)) as ReturnType<MirroredInterpreter['bind']>
  replicas = (id: readonly string[]) => this.cell(`id ${showPath(id)}`) as ReturnType<MirroredInterpreter['replicas']>
  namespace = (namespace: string) => this.cell(`ns ${namespace}`) as Cell<NamespaceSnapshot>
  delegate = () => this.cell('delegation') as Cell<DelegateTree>

  #at(name: string) {
    const known = this.#inputs.get(name)
    if (known !== undefined) return known
    const input = this.#kernel.input<State<object>>(`input ${name}`, { initial: pending })
    const cell = this.#kernel.derive(name, read => {
      const state = read(input)
      return state.kind === 'ok' ? state.value : state
    })
    const made = { input, cell }
    this.#inputs.set(name, made)
    return made
  }
}

export function mirrorWorld(batchSize?: number) {
  const clock = new FakeClock()
  const kernel = testKernel(clock)
  const threadKernel = testKernel(clock)
  const [toThread, toMain] = [new FakePort(), new FakePort()]
  toThread.other = toMain
  toMain.other = toThread
  const states = new AnyStates(kernel)
  const told = new OwnVersions()
  const queue = new WorkQueue(clock)
  const origin = new MirrorOrigin({
    port: toThread,
    kernel,
    clock,
    interpreter: states,
    told,
    queue,
    texts: new StateTexts(),
    ...(batchSize !== undefined && { batchSize }),
  })
  const mirror = new ThreadMirror({ port: toMain, kernel: threadKernel, clock })
  /** Until nobody has anything to say. */
  const settle = (): void => {
    do clock.settle()
    while (toThread.deliver() + toMain.deliver() > 0)
  }
  return { clock, kernel, threadKernel, toThread, toMain, states, told, origin, mirror, settle }
}

export type MirrorWorld = ReturnType<typeof mirrorWorld>

/** A tree that can be told from others. */
export function treeOf(version: number): State<object> {
  return ok(leaf({ id: ['#', 'fs', `web-${version}`], residual: [] }))
}
