// namerctl proxy: what a proxy does with the names, asked at its admin port.
import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import type { CliIo } from '../cli-io.ts'
import { ask } from '../dtab-writes.ts'
import { printable } from '../printable.ts'
import { clientStates, flatMetrics, recentRequests, type Summary, summary } from '../proxy-answers.ts'
import { defaultProxyUrl, openProxySession } from '../proxy-session.ts'
import { clientLines, endpointLines, notReady, requestLines, serviceLines, statusLines } from '../proxy-text.ts'
import type { Session } from '../session.ts'
import { tableLines } from '../table.ts'
import { examples } from './options.ts'

const whereHelp = `
The proxy is the first of these that is given: --proxy-url, the environment variable NAMERCTL_PROXY_URL, ${defaultProxyUrl}.
It is the admin port of the proxy, whose pages have the same figures and more.`

const figuresHelp = `
REQ/S, SUCCESS and latencies are of the last one to two minutes, REQUESTS and FAILURES since the proxy started. A request
whose client left is no failure and no success. The busiest come first.`

/** Adds `proxy` with its subcommands; alone it shows the status. */
export function addProxy(program: Command, io: CliIo): void {
  const proxy = program
    .command('proxy')
    .description('Show how a proxy does: requests, services, clients, endpoints')
    .option('--proxy-url <url>', `the proxy's admin port, such as ${defaultProxyUrl}`)
    .addHelpText(
      'after',
      `${examples(
        ['proxy', 'is it ready, and how do its routers do?'],
        ['proxy services', 'which name fails, or is slow?'],
        ['proxy endpoints', 'which replicas are left alone?'],
        ['proxy requests', 'some of the last requests'],
      )}\n${whereHelp}`,
    )
  addStatus(proxy, io)
  addFigures(proxy, io)
  addEndpoints(proxy, io)
  addRequests(proxy, io)
  addMetrics(proxy, io)
}

function askSummary(session: Session): Promise<Summary> {
  return ask(session, undefined, () => session.client.json(summary, { path: ['summary.json'] }))
}

function addStatus(proxy: Command, io: CliIo): void {
  proxy
    .command('status', { isDefault: true })
    .description('Show whether the proxy is ready, and how its routers do')
    .option('--check', 'exit code 1 when it is not ready')
    .addHelpText(
      'after',
      `${examples(
        ['proxy status', 'the proxy on this machine'],
        ['proxy status --check', 'for scripts: can it serve?'],
      )}\n${figuresHelp}`,
    )
    .action(async ({ check }: { readonly check?: true }, command: Command) => {
      const session = openProxySession(io, command)
      const answer = await askSummary(session)
      session.show(answer, () => statusLines(answer, session.paint))
      if (check && !answer.ready.ready) throw new CliError(1, `not ready: ${notReady(answer.ready).join('; ')}`)
    })
}

function addFigures(proxy: Command, io: CliIo): void {
  proxy
    .command('services')
    .description('Show the names that were asked for, and how requests to each went')
    .addHelpText('after', `${examples(['proxy services', 'success and latency of each name'])}\n${figuresHelp}`)
    .action(async (_options: object, command: Command) => {
      const session = openProxySession(io, command)
      const answer = await askSummary(session)
      session.show(listOf(answer, 'services'), () => serviceLines(answer))
    })
  proxy
    .command('clients')
    .description('Show the bound ids that requests went to, and how each did')
    .addHelpText(
      'after',
      `${examples(['proxy clients', 'success and latency of each bound id'])}\n${figuresHelp}
ENDPOINTS says how many of all take requests; the others failed too often and are probed.`,
    )
    .action(async (_options: object, command: Command) => {
      const session = openProxySession(io, command)
      const answer = await askSummary(session)
      session.show(listOf(answer, 'clients'), () => clientLines(answer, session.paint))
    })
}

function listOf({ routers }: Summary, key: 'services' | 'clients'): object {
  return { [key]: routers.flatMap(router => router[key].map(each => ({ router: router.label, ...each }))) }
}

const statesHelp = `
STATE is open: it takes requests; dead: left alone after failures; probing: one request finds out whether it lives;
leaving: not in the replica set any more. LATENCY is known where the balancer goes by it.`

function addEndpoints(proxy: Command, io: CliIo): void {
  proxy
    .command('endpoints')
    .description('Show every endpoint in use, with its state and load')
    .addHelpText('after', `${examples(['proxy endpoints', 'who gets requests, and who does not'])}\n${statesHelp}`)
    .action(async (_options: object, command: Command) => {
      const session = openProxySession(io, command)
      const request = { path: ['client_state.json'] }
      const states = await ask(session, undefined, () => session.client.json(clientStates, request))
      session.show(states, () => endpointLines(states, session.paint))
    })
}

const sampleHelp = `
The proxy keeps some of the last requests when its configuration says so:
  telemetry: [{ kind: io.l5d.recentRequests, sampleRate: 0.01, capacity: 10 }]`

function addRequests(proxy: Command, io: CliIo): void {
  proxy
    .command('requests')
    .description('Show some of the last requests, newest first')
    .addHelpText('after', `${examples(['proxy requests', 'what came, and what became of it'])}\n${sampleHelp}`)
    .action(async (_options: object, command: Command) => {
      const session = openProxySession(io, command)
      const request = { path: ['requests'], query: { json: true } }
      const answer = await ask(session, undefined, () => session.client.json(recentRequests, request))
      session.show(answer, () => requestLines(answer, session.paint))
      if (!answer.sampled)
        session.remark('# none is kept: add io.l5d.recentRequests to the telemetry of its configuration')
    })
}

function addMetrics(proxy: Command, io: CliIo): void {
  proxy
    .command('metrics')
    .description("Show the metrics under linkerd's names")
    .argument('[scope]', 'only these, such as rt/http/service; * stands for one part')
    .addHelpText(
      'after',
      examples(['proxy metrics', 'all of them'], ["proxy metrics 'rt/*/server'", 'of the listeners of every router']),
    )
    .action(async (scope: string | undefined, _options: object, command: Command) => {
      const session = openProxySession(io, command)
      const request = { path: ['admin', 'metrics.json'], query: { q: scope } }
      const metrics = await ask(session, undefined, () => session.client.json(flatMetrics, request))
      session.show(metrics, () =>
        tableLines(
          ['METRIC', 'VALUE'],
          Object.entries(metrics)
            .toSorted(([a], [b]) => (a < b ? -1 : 1))
            .map(([name, value]) => [printable(name), String(value)]),
        ),
      )
    })
}
