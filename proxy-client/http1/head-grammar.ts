// What a reader of messages must know of their heads; requests and responses each have one.
import type { FieldSection } from './field-section.ts'
import type { Framing, MessageProblem } from './message.ts'
import type { StartLineCheck } from './section-scan.ts'

/** Made for one reader, which calls `checkStartLine` and then `headOf` for each head. */
export interface HeadGrammar<H> {
  /** Whether one empty line before a head is passed over. */
  readonly allowsBlankLine: boolean
  /** Notes where the parts of the start line lie. */
  readonly checkStartLine: StartLineCheck
  /** Whether the start line that was checked last asks for an answer without a body, as HEAD does. */
  asksForHeadOnly(): boolean
  /** Makes the head of a text whose start line was checked last. `repeated` are the bits of names that occur twice. */
  headOf(text: string, fields: FieldSection, repeated: number): H | MessageProblem
  /** Whether another head follows this one at once, and is the message's. */
  isInterim(head: H): boolean
}

/** What every head has, as the reader sees it. */
export interface FramedHead {
  readonly framing: Framing
}
