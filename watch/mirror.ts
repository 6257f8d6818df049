// A cell that shows what a cell of another kernel has, such as one in another thread. It holds no logic of its own: whoever
// feeds it says each state.
import type { Mirror, MirrorFeed } from './cell.ts'
import type { Cancel } from './clock.ts'
import type { Core } from './core.ts'
import { SettableNode } from './settable.ts'
import { awaited, pending, type State } from './state.ts'

/** Methods are `private` and not `#`: for those an object has a hidden field, and there are very many of these. */
export class MirrorNode extends SettableNode implements Mirror<unknown> {
  private readonly feed: MirrorFeed<unknown>
  private isOpen = false
  private cancelClose: Cancel | undefined

  constructor(core: Core, name: string, feed: MirrorFeed<unknown>) {
    super(core, name, {})
    this.feed = feed
  }

  show(state: State<unknown>): void {
    if (this.isOpen) this.take(state)
  }

  protected activate(): void {
    this.cancelClose?.()
    this.cancelClose = undefined
    if (this.isOpen || this.core.isClosed) return
    this.isOpen = true
    this.state = awaited
    this.occupy()
    this.feed.opened(this)
  }

  /** At the next turn: who leaves one name for another and back costs nobody anything. */
  protected deactivate(): void {
    this.cancelClose = this.core.options.clock.defer(() => this.shut())
  }

  private shut(): void {
    this.cancelClose = undefined
    if (this.core.isClosed) return
    this.isOpen = false
    this.state = pending
    this.release()
    this.feed.closed(this)
  }
}
