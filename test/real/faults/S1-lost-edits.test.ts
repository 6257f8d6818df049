// S1: Two pipelines change one dtab at once, and a server dies meanwhile: no acknowledged edit may be lost or come twice.
import { describe, expect, it } from 'vitest'
import { loseNoEdits } from '../storage/lost-edits.fixture.ts'
import { storageTrials } from '../storage/storage-trials.fixture.ts'

describe('S1: conditional edits of ten writers through three servers, one of them killed in the middle', () => {
  it.each(Object.keys(storageTrials))('are each in the history exactly once on %s', async kind => {
    const outcome = await loseNoEdits({ kind, writers: 10, editsEach: 20 })
    expect(outcome).toMatchObject({ acknowledged: 200, faults: [] })
    expect(outcome.conflicts).toBeGreaterThan(0)
  })
})
