// `--wait` and `--timeout` of commands that write: what is asked of the server, and what is said of its answer.
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Spread, WriteResult } from './answers.ts'
import { CliError } from './cli-error.ts'
import { printable } from './printable.ts'
import { countText, silentText } from './proxies-text.ts'

/** As given on the command line. */
export interface WaitOptions {
  /** `applied`, `all`, `proxies:95%` or `proxies:20`. */
  readonly wait?: string
  readonly timeout?: string
}

/** The query of a write; a timeout alone asks for nothing. */
export type WaitQuery = WaitOptions

const serversHelp = `
A write is answered once it is stored and the server that took it goes by it. With --wait all the command ends once every
server of the store goes by it, or with exit code 1 when some do not within --timeout. It is stored even then: look at
\`namerctl servers\`, and do not repeat it.`

const proxiesHelp = `
With --wait proxies:95% it ends once that share of the proxies that follow names of it have applied it, over all servers; with
proxies:20 once so many have. A share is not reached while a server does not answer, for nobody knows of its proxies.`

/** Adds both options to a command that writes one dtab. */
export function addWaitOptions(command: Command): Command {
  const meaning = 'until who goes by it: applied, this server; all, every server; proxies:95% or proxies:20'
  return addOptions(command, new Option('--wait <who>', meaning).argParser(parseWait), `${serversHelp}\n${proxiesHelp}`)
}

/** Adds both to a command that writes many: it can wait for servers only. */
export function addServerWaitOptions(command: Command): Command {
  const option = new Option('--wait <servers>', 'until who goes by it: applied, this server; all, every server')
  return addOptions(command, option.choices(['applied', 'all']), serversHelp)
}

function addOptions(command: Command, wait: Option, help: string): Command {
  return command
    .addOption(wait)
    .option('--timeout <time>', 'how long to wait with --wait: 5s, 500ms, or milliseconds; 5s by default', parseTimeout)
    .addHelpText('after', help)
}

/** What the numbers may be, the server says. */
function parseWait(text: string): string {
  if (/^(applied|all|proxies:\d{1,7}(\.\d{1,3})?%?)$/.test(text)) return text
  throw new InvalidArgumentError('write applied, all, a share such as proxies:95%, or a number such as proxies:20')
}

function parseTimeout(text: string): string {
  if (/^\d{1,7}(\.\d{1,3})?(ms|s)?$/.test(text)) return text
  throw new InvalidArgumentError('write a time such as 5s or 500ms')
}

/** The query for these options. */
export function waitQueryOf({ wait, timeout }: WaitOptions): WaitQuery {
  if (wait === undefined) return {}
  return { wait, ...(timeout !== undefined && { timeout }) }
}

/** Who has it, as far as the server was asked or knows otherwise. */
export function appliedLines({ applied, servers, proxies }: Spread): string[] {
  if (proxies !== undefined) return proxiesLines(proxies)
  if (servers === undefined)
    return applied === false ? ['# stored, but the server that took it does not go by it yet'] : []
  const having = servers.filter(server => server.applied).map(({ id }) => printable(id))
  const count = `${having.length} of ${servers.length} ${servers.length === 1 ? 'server goes' : 'servers go'} by it`
  return [
    `# ${count}${having.length > 0 ? `: ${having.join(', ')}` : ''}`,
    ...servers
      .filter(server => !server.applied)
      .map(({ id, replied, version }) => {
        const where = version === undefined ? 'is behind' : `is still at version ${version}`
        return `# ${printable(id)} ${replied ? where : 'does not reply'}`
      }),
  ]
}

function proxiesLines({ total, applied, silent }: NonNullable<Spread['proxies']>): string[] {
  const have =
    total === 0 ? 'no proxy follows names of it' : `${countText(applied)} of ${countText(total)} proxies have it`
  return [`# ${have}`, ...silent.map(({ id, error }) => silentText(id, error))]
}

/** Throws when servers or proxies were waited for and do not go by it: whoever asked for that must not go on as if they did. */
export function requireApplied(written: WriteResult): void {
  const { namespace, version } = written
  const what = `version ${version} of ${namespace}`
  if (written.proxies === undefined) requireSpread(written, what)
  else if (written.applied === false)
    throw new CliError(1, `${what} is stored, but not enough proxies have it yet`, {
      more: [
        `# it need not be written again; \`namerctl proxies --namespace ${namespace} --behind\` shows who is behind`,
      ],
    })
}

/** The same for whatever `what` is that was written. */
export function requireSpread({ applied, servers }: Spread, what: string): void {
  if (servers === undefined || applied !== false) return
  throw new CliError(1, `${what} is stored, but not all servers go by it yet`, {
    more: ['# it need not be written again; `namerctl servers` shows how they are'],
  })
}

/** Of two writes as of one: who goes by both. */
export function bothApplied(a: Spread, b: Spread): Spread {
  if (a.servers === undefined || b.servers === undefined) return a.servers === undefined ? b : a
  const servers = new Map(a.servers.map(server => [server.id, server]))
  for (const { id, replied, applied } of b.servers) {
    const known = servers.get(id)
    servers.set(id, { id, replied: replied && known?.replied !== false, applied: applied && known?.applied !== false })
  }
  return { applied: a.applied === true && b.applied === true, servers: [...servers.values()] }
}
