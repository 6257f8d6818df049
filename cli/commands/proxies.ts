// namerctl proxies: who is connected to any server, and which version of each namespace it has applied.
import type { Command } from 'commander'
import { type ProxyList, proxyList } from '../answers.ts'
import type { CliIo } from '../cli-io.ts'
import { ask } from '../dtab-writes.ts'
import { proxyLines } from '../proxies-text.ts'
import { openSession, type Session } from '../session.ts'
import { countUpTo, examples } from './options.ts'

const proxiesHelp = `
VERSION is the one that a proxy has applied, with the newest one where that is another. BEHIND is for how long its server has
had something for it that it has not confirmed; some hundred milliseconds after a change are normal. "with its server": it has
all its server has, which goes by an older version itself (\`namerctl servers\`). REFUSED counts states that it could not use.
With --behind those that are behind for longest come first.

The servers of the store are asked at the same time, and one that does not answer within two seconds is named.`

/** What one request gives at most. */
const pageSize = 1_000
const mostShown = 1_000_000

interface ProxiesOptions {
  readonly namespace?: string | undefined
  readonly behind?: true | undefined
  readonly limit: number
}

/** Adds `proxies`. */
export function addProxies(program: Command, io: CliIo): void {
  program
    .command('proxies')
    .description('Show the proxies of all servers, and who does not go by the newest rules')
    .option('--namespace <namespace>', 'only proxies that follow names of it')
    .option('--behind', 'only those that are behind')
    .option('--limit <count>', 'at most so many proxies', countUpTo(mostShown), 100)
    .addHelpText(
      'after',
      `${examples(
        ['proxies', 'who is connected'],
        ['proxies --behind', 'who does not go by the newest rules, and for how long'],
        ['proxies --namespace default -o json', 'for scripts'],
      )}\n${proxiesHelp}`,
    )
    .action(async ({ namespace, behind, limit }: ProxiesOptions, command: Command) => {
      const session = openSession(io, command)
      const list = await ask(session, undefined, () => readProxies(session, { namespace, behind, limit }))
      session.show(list, () => proxyLines(list, { namespace, isBehindOnly: behind === true }, session.paint))
    })
}

/** Page after page, as one answer; who is silent in any is named. */
async function readProxies(session: Session, { namespace, behind, limit }: ProxiesOptions): Promise<ProxyList> {
  const path = ['api', 'proxies']
  const read = (after: string | undefined, count: number): Promise<ProxyList> =>
    session.client.json(proxyList, { path, query: { namespace, behind, after, limit: Math.min(pageSize, count) } })
  let list = await read(undefined, limit)
  while (list.next !== undefined && list.proxies.length < limit) {
    const { next: _, ...known } = list
    const page = await read(list.next, limit - list.proxies.length)
    const silent = new Map([...list.silent, ...page.silent].map(server => [server.id, server]))
    list = { ...known, ...page, proxies: [...list.proxies, ...page.proxies], silent: [...silent.values()] }
  }
  return list
}
