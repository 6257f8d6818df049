// S8: a server is killed with SIGKILL at random points while clients write to it through its API.
import { describe, expect, it } from 'vitest'
import { crashServer } from '../storage/server-crash.fixture.ts'
import { storageTrials } from '../storage/storage-trials.fixture.ts'

const rounds = 10

describe('S8: writes to a server that is killed ten times', () => {
  it.each(Object.keys(storageTrials))('are each there once and whole when they were answered, on %s', async kind => {
    await using trial = await storageTrials[kind]?.()
    if (trial === undefined) throw new Error(`there is no trial of a store ${kind}`)
    const outcome = await crashServer({ storageFor: trial.storageFor, rounds })
    expect(outcome.faults).toEqual([])
    expect(outcome.acknowledged).toBeGreaterThan(rounds)
    expect(outcome.repeats).toBeGreaterThan(0)
  })
})
