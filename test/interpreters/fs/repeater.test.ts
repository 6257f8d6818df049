import { describe, expect, it } from 'vitest'
import { Repeater } from '../../../interpreters/fs/repeater.ts'

/** A job whose runs end when the test says so. */
function createJob() {
  const runs: PromiseWithResolvers<void>[] = []
  const errors: unknown[] = []
  const job = (): Promise<void> => {
    const run = Promise.withResolvers<void>()
    runs.push(run)
    return run.promise
  }
  return { runs, errors, repeater: new Repeater(job, error => errors.push(error)) }
}

describe('a repeater', () => {
  it('makes one more run of any number of calls during a run', async () => {
    const { runs, repeater } = createJob()
    const first = repeater.run()
    const later = [repeater.run(), repeater.run(), repeater.run()]
    expect(runs.length).toBe(1)
    runs[0]?.resolve()
    await first
    expect(runs.length).toBe(2)
    runs[1]?.resolve()
    await Promise.all(later)
    expect(runs.length).toBe(2)
  })

  it('resolves a call only after a run that began after it', async () => {
    const { runs, repeater } = createJob()
    const first = repeater.run()
    let isSecondDone = false
    const second = repeater.run().then(() => {
      isSecondDone = true
    })
    runs[0]?.resolve()
    await first
    expect(isSecondDone).toBe(false)
    runs[1]?.resolve()
    await second
  })

  it('goes on after a job that rejects', async () => {
    const { runs, errors, repeater } = createJob()
    const first = repeater.run()
    runs[0]?.reject(new Error('no'))
    await first
    expect(errors).toEqual([new Error('no')])
    const second = repeater.run()
    runs[1]?.resolve()
    await second
  })
})
