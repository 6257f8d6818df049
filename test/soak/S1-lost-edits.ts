// S1 in its real length: fifty writers make two hundred conditional edits each, on every store that outlives a server.
import { loseNoEdits } from '../real/storage/lost-edits.fixture.ts'
import { storageTrials } from '../real/storage/storage-trials.fixture.ts'

const writers = 50
const editsEach = 200

/** Rejects when an edit was lost or came twice. */
export async function soakS1(report: (line: string) => void): Promise<void> {
  for (const kind of Object.keys(storageTrials)) {
    const startedAt = performance.now()
    const told = (done: number): void => report(`${kind}: ${done} of ${writers * editsEach} edits acknowledged`)
    const { acknowledged, conflicts, repeats, faults } = await loseNoEdits({ kind, writers, editsEach, report: told })
    if (faults.length > 0) throw new Error(`${kind}: ${faults.slice(0, 5).join('; ')}`)
    const perSecond = Math.round((acknowledged / (performance.now() - startedAt)) * 1000)
    report(`${kind}: ${acknowledged} edits, each once; ${conflicts} refused, ${repeats} repeated; ${perSecond}/s`)
  }
}
