// Two hundred kills of a writing process on one file. Each kill comes at a random acknowledgement.
import { join } from 'node:path'
import { crashRound } from '../faults/crash-rig.fixture.ts'
import { tempDirectory } from '../storage/store.fixture.ts'

const rounds = 200
const roundsPerFile = 20

/** Rejects at the first lost or torn version. */
export async function soakS8(report: (line: string) => void): Promise<void> {
  const directory = tempDirectory()
  let acknowledged = 0
  try {
    for (let round = 1; round <= rounds; round++) {
      const path = join(directory.path, `crash-${Math.floor((round - 1) / roundsPerFile)}.db`)
      const outcome = await crashRound(path, 1 + Math.floor(Math.random() * 400))
      acknowledged += outcome.acknowledged
      if (outcome.faults.length > 0) throw new Error(`round ${round}: ${outcome.faults.slice(0, 5).join(', ')}`)
      if (round % 10 === 0) report(`${round} of ${rounds} rounds, ${acknowledged} acknowledged versions all there`)
    }
  } finally {
    directory.remove()
  }
}
