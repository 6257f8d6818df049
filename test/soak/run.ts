// `npm run soak -- ID`: the real-time forms of fault tests, by hand. One line per id in the table.
import { soakC2 } from './C2-agrees-with-catalogue.ts'
import { soakE5 } from './E5-names.ts'
import { soakE5Server } from './E5-server-names.ts'
import { soakH1 } from './H1-hostile-requests.ts'
import { soakK7 } from './K7-quiet-collections.ts'
import { soakL1 } from './L1-handles.ts'
import { soakP1 } from './P1-drift.ts'
import { soakP4 } from './P4-stopped-readers.ts'
import { soakR4 } from './R4-restarts.ts'
import { soakS1 } from './S1-lost-edits.ts'
import { soakS8 } from './S8-kill.ts'
import { soakS9 } from './S9-lock.ts'
import { soakS10 } from './S10-log.ts'

interface Soak {
  readonly about: string
  /** Rejects when the fault test fails; `report` shows progress. */
  run(report: (line: string) => void): Promise<void>
}

const soaks: Readonly<Record<string, Soak>> = {
  C2: {
    about: '4,500 random changes of 200 Consul services, compared with what two namers show (npm run backends)',
    run: soakC2,
  },
  H1: {
    about: '1,000,000 (--requests=N) random and broken requests through a proxy: none out of step, nothing left behind',
    run: soakH1,
  },
  E5: {
    about: '65,000 names that come once, through a proxy and to a server with a heap of 256 MB each',
    run: async report => {
      await soakE5(report)
      await soakE5Server(report)
    },
  },
  K7: {
    about: '200 Kubernetes watches after four quiet minutes: each edit is seen at once (npm run backends)',
    run: soakK7,
  },
  L1: { about: '10,000 deletions and creations of a followed directory: one watch each, none left', run: soakL1 },
  P1: {
    about:
      'a link that loses, repeats or reorders one message in 1,000, for 10 minutes (--seconds=N): no client drifts',
    run: soakP1,
  },
  P4: {
    about: '1,000 push streams for 10 (--minutes=N) minutes, ten of them stopped: the others go on as before',
    run: soakP4,
  },
  R4: {
    about: '12 restarts of proxies, half of them kills, while every server is off: all of 300 known names are routed',
    run: soakR4,
  },
  S1: {
    about: '50 writers x 200 conditional edits on every store, servers and leaders killed (npm run backends)',
    run: soakS1,
  },
  S8: {
    about:
      '200 kills of a writer to sqlite, 100 of a server on every store: nothing is lost or torn (npm run backends)',
    run: soakS8,
  },
  S10: { about: '50 writes/s for minutes beside readers of the sqlite file: the log stays bounded', run: soakS10 },
  S9: { about: 'a lock of another process for 3 s, beside 1,000 watches: the event loop goes on', run: soakS9 },
}

function showHelp(): void {
  console.log('npm run soak -- ID [ID ...]\n')
  for (const [id, { about }] of Object.entries(soaks)) console.log(`  ${id.padEnd(4)} ${about}`)
}

async function runSoak(id: string, { about, run }: Soak): Promise<boolean> {
  console.log(`${id}: ${about}`)
  const startedAt = performance.now()
  const seconds = (): string => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`
  try {
    await run(line => console.log(`${id}: ${seconds()}: ${line}`))
    console.log(`${id}: passed in ${seconds()}`)
    return true
  } catch (error) {
    console.error(`${id}: FAILED after ${seconds()}: ${error instanceof Error ? error.message : String(error)}`)
    return false
  }
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter(id => !id.startsWith('-') && soaks[id] === undefined)
if (wanted.length === 0 || wanted.includes('--help') || wanted.includes('-h')) {
  showHelp()
} else if (unknown.length > 0) {
  console.error(`There is no soak test ${unknown.join(', ')}.\n`)
  showHelp()
  process.exitCode = 2
} else {
  for (const id of wanted) {
    const soak = soaks[id]
    if (soak !== undefined && !(await runSoak(id, soak))) process.exitCode = 1
  }
}
