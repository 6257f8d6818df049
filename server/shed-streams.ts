// Streams that are to go elsewhere, taken from several ports or threads by what each has. Knows none of them.
import type { PushStreams } from '../api/push-streams.ts'

type Part = Pick<PushStreams, 'streams' | 'shed'>

/** Asks each part for its share; together they are asked for `count`. */
export function shedStreams(parts: Iterable<Part>, count: number): void {
  const all = [...parts]
  let left = count
  let streams = all.reduce((sum, part) => sum + part.streams().open, 0)
  for (const part of all) {
    const { open } = part.streams()
    const share = streams === 0 ? 0 : Math.round((left * open) / streams)
    if (share > 0) part.shed(share)
    left -= share
    streams -= open
  }
}
