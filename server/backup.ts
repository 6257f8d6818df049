// `nameplane backup FILE`: a copy of the server's database while it runs. Knows no kind of store: each brings its own way.
import { parseArgs } from 'node:util'
import { NamingError } from '../naming/errors.ts'
import { exitUsage, reportFailure } from '../runtime/command.ts'
import { type ConfigDocument, parseConfig, readConfig } from '../runtime/config.ts'
import { systemClock } from '../watch/clock.ts'
import { loadServerPlan } from './compose.ts'
import { defaultConfigText } from './config.ts'

const help = `Usage: nameplane backup FILE [--config config.yaml | --database PATH] [--force]

Copies a SQLite store to FILE while servers use it, and checks the copy. Without --config and
--database it is the store of "nameplane serve" without a file: nameplane-data/nameplane.db.
Every write that was answered before is in it, and nothing of a write is there by half.

  --config config.yaml   the server's configuration; run this in the server's directory
  --database PATH        the database file itself
  --force                replace FILE when it exists

To restore: stop the server, move the database away with its -wal and -shm files, put a copy of
FILE in its place, start the server.

Exit codes: 0 done, 1 no backup was made, 2 wrong command line or configuration.
`

/** What people use where this cannot help. */
const ownWays: Readonly<Record<string, string>> = {
  etcd: 'take a snapshot with "etcdctl snapshot save FILE"',
  'io.l5d.etcd': 'take a snapshot with "etcdctl snapshot save FILE"',
  consul: 'take a snapshot with "consul snapshot save FILE"',
  'io.l5d.consul': 'take a snapshot with "consul snapshot save FILE"',
  configMap: "back up the cluster's etcd",
}

/** A copy that takes no longer is not talked about. */
const quietMs = 2_000
const wordEveryMs = 1_000

interface BackupCommand {
  readonly file: string
  readonly config?: string
  readonly database?: string
  readonly isForced: boolean
}

/** Resolves to the exit code. */
export async function runBackup(argv: readonly string[]): Promise<number> {
  const print = (line: string): void => void process.stderr.write(`${line}\n`)
  if (argv.includes('--help') || argv.includes('-h')) {
    process.stdout.write(help)
    return 0
  }
  const command = parseCommand(argv)
  if (typeof command === 'string') {
    print(`nameplane backup: ${command}\n\n${help}`)
    return exitUsage
  }
  try {
    print(await backUp(command, print))
    return 0
  } catch (error) {
    return reportFailure('nameplane backup', error, print)
  }
}

/** What is wrong with it when it cannot be run. */
function parseCommand(argv: readonly string[]): BackupCommand | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { config: { type: 'string' }, database: { type: 'string' }, force: { type: 'boolean', default: false } },
    })
    const { config, database, force } = values
    const [file] = positionals
    if (file === undefined || positionals.length > 1) return 'exactly one FILE is needed'
    if (config !== undefined && database !== undefined) return '--config and --database exclude each other'
    const from = { ...(config !== undefined && { config }), ...(database !== undefined && { database }) }
    return { file, isForced: force, ...from }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

async function backUp(command: BackupCommand, print: (line: string) => void): Promise<string> {
  const { file, isForced } = command
  const { kind, config } = (await loadServerPlan(await documentFor(command))).storage
  if (kind.backup === undefined) throw notHere(kind.kind)
  const { bytes, namespaces, versions } = await kind.backup(config, {
    file,
    isForced,
    onProgress: progressLines(print),
  })
  const size = `${(bytes / 1e6).toFixed(1)} MB`
  return `${file}: ${namespaces} namespaces, ${versions} versions, ${size}; checked`
}

async function documentFor({ config, database }: BackupCommand): Promise<ConfigDocument> {
  if (config !== undefined) return await readConfig(config)
  if (database === undefined) return parseConfig(defaultConfigText, 'built-in configuration')
  return parseConfig(JSON.stringify({ storage: { kind: 'sqlite', path: database } }), '--database')
}

function notHere(kind: string): NamingError {
  const way = ownWays[kind] ?? 'nothing of it outlives the server'
  const message = `The storage ${kind} is not a file to be copied: ${way}, or save its dtabs and their history with "namerctl export".`
  return new NamingError('bad-request', message)
}

/** Silent at first, then a line now and then. */
function progressLines(print: (line: string) => void): (share: number, doing: string) => void {
  const startedAt = systemClock.monotonic()
  let toldAt = startedAt + quietMs - wordEveryMs
  return (share, doing) => {
    const now = systemClock.monotonic()
    if (now - toldAt < wordEveryMs) return
    toldAt = now
    print(doing === 'checked' ? 'the copy is being checked' : `${Math.floor(share * 100)} % ${doing}`)
  }
}
