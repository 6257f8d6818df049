// Push. First to many names: one dtab change that touches all of 100,000 live names, on 100 Watch streams and on a single one,
// and the edit of one entry of 50,000; server in this process, clients in another. Then to many streams (bench/push): a server
// process and clients in Go.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { median } from './measure.ts'
import { fanOut } from './push/fan-out.ts'
import { fleet } from './push/fleet.ts'
import { type Memory, memory, put, startServer } from './push/in-process.ts'
import type { ClientReport, OpenOrder } from './push/node-clients.ts'
import { openCancel } from './push/open-cancel.ts'

const rounds = 7

/** The clients' next report. */
async function nextReport(clients: ChildProcess): Promise<ClientReport> {
  const [report] = await once(clients, 'message')
  return report
}

async function openClients(order: OpenOrder): Promise<ChildProcess> {
  const clients = fork(new URL('./push/node-clients.ts', import.meta.url))
  const opened = nextReport(clients)
  clients.send(order)
  await opened
  return clients
}

function printMemory(when: string, before: Memory, names: number): void {
  const { heap, rss } = memory()
  const perName = (bytes: number): string => `${Math.round(bytes / names)} B`
  console.log(`per name ${when}: heap ${perName(heap - before.heap)}, RSS ${perName(rss - before.rss)}`)
}

async function changeAll(streams: number, namesPerStream: number): Promise<void> {
  const names = streams * namesPerStream
  const server = await startServer()
  await put(server.store, '/svc => /#/bench/a')
  const before = memory()
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const startedAt = performance.now()
  const clients = await openClients({ address: server.address, streams, namesPerStream })
  console.log(
    `${names} names on ${streams} streams: first states in ${ms(performance.now() - startedAt)}, ` +
      `loop held at most ${ms(delay.max / 1e6)}`,
  )
  printMemory('then', before, names)
  const times: number[] = []
  const holds: number[] = []
  const cpu: number[] = []
  const messages: number[] = []
  let sent = 0
  for (let round = 0; round < rounds; round++) {
    delay.reset()
    const reached = nextReport(clients)
    const changedAt = performance.now()
    const used = process.cpuUsage()
    await put(server.store, `/svc => /#/bench/${round}`)
    const report = await reached
    times.push(performance.now() - changedAt)
    cpu.push(cpuMs(used))
    holds.push(delay.max / 1e6)
    messages.push(report.messages - sent)
    sent = report.messages
  }
  console.log(
    `one change to all: median ${ms(median(times))} (${times.map(ms).join(' ')}), ${median(messages)} messages, ` +
      `CPU of the server's process ${ms(median(cpu))}; ` +
      `loop held at most ${ms(Math.max(...holds))} (${holds.map(ms).join(' ')})`,
  )
  delay.disable()
  printMemory(`after ${rounds} changes`, before, names)
  clients.kill()
  await server.close()
}

async function editOne(): Promise<void> {
  const entries = 50_000
  const watched = 10_000
  const server = await startServer()
  const lines = Array.from({ length: entries }, (_, i) => `/svc/service-${i} => /#/bench/service-${i} ;`)
  await put(server.store, lines.join('\n'))
  const clients = await openClients({ address: server.address, streams: 10, namesPerStream: watched / 10 })
  const cpu: number[] = []
  const pushed: number[] = []
  for (let round = 0; round < rounds; round++) {
    const before = await ask(clients)
    lines[round * 7] = `/svc/service-${round * 7} => /#/bench/moved-${round} ;`
    const text = lines.join('\n')
    const used = process.cpuUsage()
    await put(server.store, text)
    while ((await ask(clients)).trees === before.trees);
    cpu.push(cpuMs(used))
    pushed.push((await ask(clients)).trees - before.trees)
  }
  console.log(
    `edit of one entry of ${entries} with ${watched} names watched: ${Math.max(...pushed)} names pushed, ` +
      `CPU median ${ms(median(cpu))} (${cpu.map(ms).join(' ')})`,
  )
  clients.kill()
  await server.close()
}

async function ask(clients: ChildProcess): Promise<ClientReport> {
  const report = nextReport(clients)
  clients.send('report')
  return report
}

/** What all threads of this process have used since. */
function cpuMs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1000
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`
}

/** Prints its table. */
export async function run(): Promise<void> {
  await changeAll(100, 1000)
  await changeAll(1, 100_000)
  await editOne()
  await fanOut()
  await fleet()
  await openCancel()
}
