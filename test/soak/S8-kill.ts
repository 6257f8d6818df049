// Kills in real number: of a process that writes to sqlite below the API, and of a server on every store. Each kill comes at
// a random point.
import { join } from 'node:path'
import { crashRound } from '../faults/crash-rig.fixture.ts'
import { crashServer } from '../real/storage/server-crash.fixture.ts'
import { storageTrials } from '../real/storage/storage-trials.fixture.ts'
import { tempDirectory } from '../storage/store.fixture.ts'

const storeRounds = 200
const roundsPerFile = 20
const serverRounds = 100

/** Rejects at the first version that was lost, torn or written twice. */
export async function soakS8(report: (line: string) => void): Promise<void> {
  await killWriters(report)
  for (const kind of Object.keys(storageTrials)) await killServers(kind, report)
}

async function killWriters(report: (line: string) => void): Promise<void> {
  const directory = tempDirectory()
  let acknowledged = 0
  try {
    for (let round = 1; round <= storeRounds; round++) {
      const path = join(directory.path, `crash-${Math.floor((round - 1) / roundsPerFile)}.db`)
      const outcome = await crashRound(path, 1 + Math.floor(Math.random() * 400))
      acknowledged += outcome.acknowledged
      if (outcome.faults.length > 0) throw new Error(`round ${round}: ${outcome.faults.slice(0, 5).join(', ')}`)
      if (round % 50 === 0) report(`${round} of ${storeRounds} rounds, ${acknowledged} acknowledged versions all there`)
    }
  } finally {
    directory.remove()
  }
}

async function killServers(kind: string, report: (line: string) => void): Promise<void> {
  await using trial = await storageTrials[kind]?.()
  if (trial === undefined) return
  const { acknowledged, repeats, faults } = await crashServer({
    storageFor: trial.storageFor,
    rounds: serverRounds,
    random: Math.random,
    report: (round, total) => {
      if (round % 25 === 0) report(`${kind}: server killed ${round} of ${serverRounds} times, ${total} writes answered`)
    },
  })
  if (faults.length > 0) throw new Error(`${kind}: ${faults.slice(0, 5).join(', ')}`)
  report(`${kind}: ${acknowledged} answered writes, each once and whole; ${repeats} were sent again`)
}
