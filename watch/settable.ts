// Cells that are told their state: what an input, a source and a mirror share, and the input itself.
import type { Input, InputOptions } from './cell.ts'
import type { Core } from './core.ts'
import { Node } from './node.ts'
import { failed, ok, type State } from './state.ts'

/** A state that is set, and a failure that keeps the last good value. */
export abstract class SettableNode extends Node {
  refresh(): State<unknown> {
    return this.state
  }

  protected accept(value: unknown): boolean {
    return this.take(ok(value))
  }

  protected reject(reason: Error): void {
    const last = this.state
    if (last.kind !== 'ok') this.take(failed(reason))
    else this.acceptStale(last.value, reason)
  }

  protected acceptStale(value: unknown, reason: Error): boolean {
    const since = (this.state.kind === 'ok' ? this.state.stale?.since : undefined) ?? this.core.options.clock.now()
    return this.take(ok(value, { since, reason }))
  }

  /** Any state; whether it is another than before. */
  protected take(next: State<unknown>): boolean {
    const hasChanged = this.setState(next)
    if (hasChanged) this.invalidate()
    return hasChanged
  }
}

export class InputNode extends SettableNode implements Input<unknown> {
  constructor(core: Core, name: string, options: InputOptions<unknown>) {
    super(core, name, options)
    if (options.initial !== undefined) this.state = ok(options.initial)
  }

  set(value: unknown): void {
    this.accept(value)
  }

  fail(error: Error): void {
    this.reject(error)
  }

  setStale(value: unknown, reason: Error): void {
    this.acceptStale(value, reason)
  }

  contact(): void {}

  protected activate(): void {
    this.occupy()
  }

  protected deactivate(): void {
    this.release()
  }
}
