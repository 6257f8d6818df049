// `nameplane check`: looks for mistakes in a configuration of any of our processes. Knows none of them.
import { exitUsage, reportFailure } from './command.ts'
import { type ConfigDocument, readConfig } from './config.ts'

const help = `Usage: nameplane check config.yaml | -

Looks for mistakes in the configuration of a server, or of a proxy (which has "routers"), and starts nothing.
Exit codes: 0 valid, 2 a problem, each with its line and column.
`

/** Throws `bad-config` naming every problem. */
type CheckDocument = (document: ConfigDocument) => unknown

export interface ConfigChecks {
  readonly server: CheckDocument
  readonly proxy: CheckDocument
}

/** Validates; resolves to the exit code. */
export async function runCheck(argv: readonly string[], checks: ConfigChecks): Promise<number> {
  const print = (line: string): void => void process.stderr.write(`${line}\n`)
  const [file] = argv
  if (file === '--help' || file === '-h') {
    process.stdout.write(help)
    return 0
  }
  if (argv.length !== 1 || file === undefined) {
    print(`nameplane check: exactly one configuration file is needed\n\n${help}`)
    return exitUsage
  }
  try {
    const document = await readConfig(file)
    const check = isOfProxy(document.value) ? checks.proxy : checks.server
    await check(document)
    process.stdout.write(`${document.source}: valid\n`)
    return 0
  } catch (error) {
    return reportFailure('nameplane check', error, print)
  }
}

function isOfProxy(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'routers' in value
}
