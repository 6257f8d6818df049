import { describe, expect, it } from 'vitest'
import { NamingError } from '../../../naming/errors.ts'
import { Line, type LineListener, type LineService } from '../../../server/workers/line.ts'

/** Two ends; what one sends the other has at once, as a clone. */
function pair(service: LineService): { readonly asker: Line; readonly server: Line } {
  const asker: Line = new Line(message => server.receive(structuredClone(message)))
  const server: Line = new Line(message => asker.receive(structuredClone(message)))
  server.serve(service)
  return { asker, server }
}

describe('a question', () => {
  it('is answered, or fails with the code and the message that it failed with', async () => {
    const { asker } = pair({
      ask: {
        double: async value => Number(value) * 2,
        refuse: async () => {
          throw new NamingError('bad-path', 'no path')
        },
      },
    })
    expect(await asker.ask('double', 4)).toBe(8)
    await expect(asker.ask('refuse', 1)).rejects.toMatchObject({ code: 'bad-path', message: 'no path' })
    await expect(asker.ask('nobody knows', 1)).rejects.toThrow('Nobody answers nobody knows')
  })

  it('ends at the other end too when nobody wants the answer any more', async () => {
    const left: boolean[] = []
    const { asker } = pair({
      ask: {
        wait: (_, signal) =>
          new Promise(() => {
            signal.addEventListener('abort', () => left.push(true))
          }),
      },
    })
    const abort = new AbortController()
    const asked = asker.ask('wait', 1, abort.signal)
    abort.abort()
    await expect(asked).rejects.toMatchObject({ code: 'timeout' })
    await expect(asker.ask('wait', 1, abort.signal)).rejects.toMatchObject({ code: 'timeout' })
    expect(left).toEqual([true, true])
  })

  it('fails with the reason when the other end is gone, before or after it was asked', async () => {
    const { asker } = pair({ ask: { wait: () => new Promise(() => {}) } })
    const asked = asker.ask('wait', 1)
    asker.end(new NamingError('unavailable', 'thread 1 ended'))
    await expect(asked).rejects.toThrow('thread 1 ended')
    await expect(asker.ask('wait', 1)).rejects.toThrow('thread 1 ended')
  })
})

describe('following', () => {
  function follower() {
    let source: LineListener | undefined
    const ended: boolean[] = []
    const ends = pair({
      follow: {
        count: (from, listener) => {
          source = listener
          listener.heard(from)
          return () => ended.push(true)
        },
      },
    })
    const heard: unknown[] = []
    const listener = {
      heard: (value: unknown) => heard.push(value),
      lost: (error: Error) => heard.push(error.message),
    }
    return { ...ends, heard, ended, listener, say: (value: unknown) => source?.heard(value), source: () => source }
  }

  it('hears everything until it ends it, and nothing afterwards', () => {
    const { asker, heard, ended, listener, say } = follower()
    const end = asker.follow('count', 1, listener)
    say(2)
    end()
    end()
    say(3)
    expect([heard, ended]).toEqual([[1, 2], [true]])
  })

  it('is told once when there is no more to hear', () => {
    const { asker, heard, listener, source, say } = follower()
    asker.follow('count', 1, listener)
    source()?.lost(new Error('over'))
    say(2)
    asker.follow('nobody knows', 1, listener)
    expect(heard).toEqual([1, 'over', 'Nobody answers nobody knows at the other end.'])
  })

  it('ends for those whose other end is gone', () => {
    const { asker, server, heard, ended, listener } = follower()
    asker.follow('count', 1, listener)
    server.end(new Error('gone'))
    asker.end(new Error('gone'))
    expect([heard, ended]).toEqual([[1, 'gone'], [true]])
  })
})
