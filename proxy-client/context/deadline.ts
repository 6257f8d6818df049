// l5d-ctx-deadline: until when whoever asked still waits for the answer. Two stamps in decimal nanoseconds since 1970, of
// when the deadline was set and when it is over. Doubles are exact to a quarter of a microsecond here; texts stay as they came.
import { Field, type Fields } from '../http1/fields.ts'

/** Times in milliseconds since 1970, each with its text in nanoseconds. */
export interface Deadline {
  readonly setAt: number
  readonly setText: string
  readonly endsAt: number
  readonly endText: string
}

/** The strictest of all that came: set last, over first. Ill-formed ones do not count, as in linkerd. */
export function readDeadline(fields: Fields): Deadline | undefined {
  if ((fields.present & Field.deadline) === 0) return undefined
  let strictest: Deadline | undefined
  for (const value of fields.all('l5d-ctx-deadline')) {
    const deadline = parseDeadline(value)
    if (deadline !== undefined) strictest = strictest === undefined ? deadline : stricter(strictest, deadline)
  }
  return strictest
}

/** One that is over `ms` milliseconds from `now`. */
export function deadlineAfter(now: number, ms: number): Deadline {
  const setAt = Math.round(now)
  const endsAt = Math.round(now + ms)
  return { setAt, setText: nanosText(setAt), endsAt, endText: nanosText(endsAt) }
}

const thousandths = Array.from({ length: 1_000 }, (_, i) => String(i).padStart(3, '0'))

/** Of whole milliseconds. In two parts: numbers of more than 31 bits are slow to write, and this happens twice per request. */
function nanosText(ms: number): string {
  const seconds = Math.floor(ms / 1_000)
  return `${seconds}${thousandths[ms - seconds * 1_000]}000000`
}

/** The later start and the earlier end of both. */
export function stricter(a: Deadline, b: Deadline): Deadline {
  const set = a.setAt >= b.setAt ? a : b
  const end = a.endsAt <= b.endsAt ? a : b
  return { setAt: set.setAt, setText: set.setText, endsAt: end.endsAt, endText: end.endText }
}

/** The header's value. */
export function formatDeadline({ setText, endText }: Deadline): string {
  return `${setText} ${endText}`
}

const nanosPerMilli = 1_000_000
/** What fits 64 bits with a sign. */
const maxNanos = 2 ** 63

function parseDeadline(value: string): Deadline | undefined {
  const [setText = '', endText = ''] = value.split(' ')
  const set = parseNanos(setText)
  const end = parseNanos(endText)
  if (set === undefined || end === undefined) return undefined
  return { setAt: set / nanosPerMilli, setText, endsAt: end / nanosPerMilli, endText }
}

const digits = /^-?[0-9]{1,19}$/

function parseNanos(text: string): number | undefined {
  if (!digits.test(text)) return undefined
  const nanos = Number(text)
  return Math.abs(nanos) <= maxNanos ? nanos : undefined
}
