import { describe, expect, it } from 'vitest'
import type { BodySink, RequestBody } from '../../../proxy-client/exchange/inbound.ts'
import { isReplayable, ReplayBody } from '../../../proxy-client/router/replay-body.ts'

/** A body whose slices a test hands over. */
class SlowBody implements RequestBody {
  readonly length = 6
  opened = 0
  sink: BodySink | undefined

  open(sink: BodySink): void {
    this.opened++
    this.sink = sink
  }

  resume(): void {}

  discard(): void {}

  /** As a reader does it, which uses its memory again. */
  come(text: string): void {
    const slice = Buffer.from(text)
    this.sink?.onData(slice)
    this.sink?.onFlush()
    slice.fill('#')
  }
}

/** What one attempt reads of it. */
class Reader implements BodySink {
  readonly isDrained = false
  seen = ''
  readonly told: string[] = []
  readonly #slices: Buffer[] = []

  onData(slice: Buffer): boolean {
    this.#slices.push(slice)
    this.seen = Buffer.concat(this.#slices).toString()
    return false
  }

  onEnd(): void {
    this.told.push('end')
  }

  onCut(error: Error): void {
    this.told.push(error.message)
  }

  onFlush(): void {
    this.told.push('flush')
  }
}

function setUp() {
  const body = new SlowBody()
  const replay = new ReplayBody(body)
  const open = (turn = replay.nextTurn()): Reader => {
    const reader = new Reader()
    turn.open(reader)
    return reader
  }
  return { body, replay, open }
}

describe('a body that may be sent again', () => {
  it('flows as it comes, and is opened once however often it is read', () => {
    const { body, open } = setUp()
    const first = open()
    body.come('abc')
    body.come('def')
    body.sink?.onEnd(undefined)
    expect([first.seen, first.told]).toEqual(['abcdef', ['flush', 'flush', 'end']])
    const second = open()
    expect([second.seen, second.told, body.opened]).toEqual(['abcdef', ['end'], 1])
  })

  it('gives a later attempt what has come, then the rest; the former hears no more', () => {
    const { body, replay, open } = setUp()
    const turn = replay.nextTurn()
    const first = open(turn)
    body.come('abc')
    turn.discard()
    body.come('d')
    const second = open()
    // As a connection does that ends after the request was sent anew.
    turn.discard()
    expect([second.seen, second.told]).toEqual(['abcd', ['flush']])
    body.come('ef')
    body.sink?.onEnd(undefined)
    expect(first.seen).toBe('abc')
    expect([second.seen, second.told]).toEqual(['abcdef', ['flush', 'flush', 'end']])
  })

  it('that was cut is cut for a later attempt too', () => {
    const { body, open } = setUp()
    open()
    body.come('abc')
    body.sink?.onCut(new Error('the client left'))
    const second = open()
    expect([second.seen, second.told]).toEqual(['abc', ['the client left']])
  })

  it('is no longer than what may be kept, and tells its length beforehand', () => {
    const body = new SlowBody()
    expect([isReplayable(body, 6), isReplayable(body, 5)]).toEqual([true, false])
    expect(isReplayable({ open: () => {}, resume: () => {}, discard: () => {}, length: undefined }, 6)).toBe(false)
  })
})
