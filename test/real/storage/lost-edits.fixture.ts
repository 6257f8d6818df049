// One race of edits on one store: three servers on it, of which one, and the backend's leader where there is one, is killed
// in the middle. The store is read to the end afterwards by a server that saw nothing of the race.
import { type RaceOutcome, raceEdits } from './edit-race.fixture.ts'
import { ServerFleet } from './server-fleet.fixture.ts'
import { storageTrials } from './storage-trials.fixture.ts'

const servers = 3

export interface LostEditsOptions {
  readonly kind: string
  readonly writers: number
  readonly editsEach: number
  /** Told of the number of acknowledged edits, now and then. */
  readonly report?: (acknowledged: number) => void
}

/** Rejects when the race cannot be run to its end; what it found is in the outcome. */
export async function loseNoEdits({ kind, writers, editsEach, report }: LostEditsOptions): Promise<RaceOutcome> {
  const open = storageTrials[kind]
  if (open === undefined) throw new Error(`there is no trial of a store ${kind}`)
  await using trial = await open()
  await using fleet = await ServerFleet.start(servers, trial.storageFor)
  const middle = Math.floor((writers * editsEach) / 2)
  const disturbed: Promise<void>[] = []
  const disturb = async (): Promise<void> => {
    const [victim] = fleet.servers
    await victim?.kill()
    await trial.killLeader?.()
    await victim?.start()
  }
  const outcome = await raceEdits({
    namespace: 'race',
    writers,
    editsEach,
    urls: () => fleet.urls,
    onAcknowledged: acknowledged => {
      if (acknowledged % 1_000 === 0) report?.(acknowledged)
      if (acknowledged === middle) disturbed.push(disturb())
    },
  })
  await Promise.all(disturbed)
  return outcome
}
