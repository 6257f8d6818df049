// The list of namespaces as a frame. There may be ten thousand, of which one has changed: only that is printed anew.
// Knows no cell and no request.
import { contentHash } from '../../naming/content-hash.ts'
import { NamingError } from '../../naming/errors.ts'
import type { NamespaceSummary, RefusedText } from '../../storage/store.ts'
import type { State } from '../../watch/state.ts'
import { Frame, failedFrame, pendingFrame } from './frame.ts'
import { refusedJson, refusedMember } from './refused-text.ts'
import { timeText } from './time-text.ts'

export interface ListPrinterOptions {
  readonly withDeleted: boolean
  /** What the store holds of one dtab at most. */
  readonly maxBytes: number
}

interface Printed {
  readonly list: State<readonly NamespaceSummary[]>
  readonly refusals: State<readonly RefusedText[]>
  readonly frame: Frame
}

/** Holds the last frame and, as long as they are listed, the namespaces as printed. */
export class ListPrinter {
  readonly #options: ListPrinterOptions
  readonly #namespaces = new WeakMap<NamespaceSummary, string>()
  #last: Printed | undefined

  constructor(options: ListPrinterOptions) {
    this.#options = options
  }

  /** The same frame while both are the same. */
  frame(list: Printed['list'], refusals: Printed['refusals']): Frame {
    if (this.#last?.list !== list || this.#last.refusals !== refusals)
      this.#last = { list, refusals, frame: this.#print(list, refusals) }
    return this.#last.frame
  }

  #print(list: Printed['list'], refusals: Printed['refusals']): Frame {
    if (list.kind === 'pending') return pendingFrame({}, list.waitingFor ?? 'the store')
    if (list.kind === 'failed') return failedFrame({}, NamingError.from(list.error))
    const { withDeleted } = this.#options
    const refused = new Map((refusals.kind === 'ok' ? refusals.value : []).map(text => [text.namespace, text]))
    const namespaces: string[] = []
    for (const summary of list.value) {
      if (summary.deleted && !withDeleted) continue
      namespaces.push(this.#namespace(summary, refused.get(summary.namespace)))
      refused.delete(summary.namespace)
    }
    const others = [...refused.values()].map(text => ({ namespace: text.namespace, ...refusedJson(text) }))
    const rawOthers = others.length === 0 ? '' : `,"refused":${JSON.stringify(others)}`
    const rawContent = `"namespaces":[${namespaces.join(',')}]${rawOthers}`
    return new Frame({ about: {}, hash: contentHash(`{${rawContent}}`), content: {}, rawContent, stale: list.stale })
  }

  #namespace(summary: NamespaceSummary, refused: RefusedText | undefined): string {
    if (refused !== undefined) return this.#printed(summary, refused)
    const known = this.#namespaces.get(summary)
    if (known !== undefined) return known
    const printed = this.#printed(summary, undefined)
    this.#namespaces.set(summary, printed)
    return printed
  }

  #printed(summary: NamespaceSummary, refused: RefusedText | undefined): string {
    const { maxBytes } = this.#options
    return JSON.stringify({ ...summary, time: timeText(summary.time), maxBytes, ...refusedMember(refused) })
  }
}
