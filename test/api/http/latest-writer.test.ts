import type { ServerResponse } from 'node:http'
import { Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { LatestWriter } from '../../../api/http/latest-writer.ts'
import { turns } from './http-api.fixture.ts'

/** A response whose reader takes one write at a time, when told to. */
class SlowResponse extends Writable {
  readonly taken: string[] = []
  #next: (() => void) | undefined

  constructor() {
    super({ highWaterMark: 1 })
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.taken.push(chunk.toString())
    this.#next = done
  }

  async read(): Promise<void> {
    this.#next?.()
    await turns(3)
  }
}

function writerOf(response: SlowResponse, latest: () => string | undefined): LatestWriter {
  return new LatestWriter(response as unknown as ServerResponse, latest) // a response is a Writable, and no more is used
}

describe('a writer to a slow reader', () => {
  it('writes the newest state once the reader is ready, whatever number of changes came between', async () => {
    const response = new SlowResponse()
    let state = 'first'
    let asked = 0
    const writer = writerOf(response, () => {
      asked++
      return state
    })
    writer.changed()
    for (let change = 0; change < 1_000; change++) {
      state = `change ${change}`
      writer.changed()
    }
    expect([writer.isBusy, asked, response.writableLength]).toEqual([true, 1, 'first'.length])
    await response.read()
    expect(response.taken).toEqual(['first', 'change 999'])
    await response.read()
    expect([writer.isBusy, writer.written]).toEqual([false, 2])
  })

  it('writes nothing to a reader that has left', () => {
    const response = new SlowResponse()
    const writer = writerOf(response, () => 'late')
    response.destroy()
    writer.changed()
    expect(writer.written).toBe(0)
  })
})
