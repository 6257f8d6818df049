// Requests to a server with ten thousand namespaces, and to one with a dtab of fifty thousand entries.
import { percentile, printTable } from '../measure.ts'
import { type OwnServer, startServer } from './durable-writers.ts'
import { httpClient, httpRequest, type WriteClient } from './write-clients.ts'

const namespaces = 10_000
const entries = 50_000
const writersAtOnce = 50
const requests = 400
const largeRequests = 150

type Row = readonly string[]

export async function runLargeStores(): Promise<void> {
  const rows: Row[] = []
  for (const kind of ['sqlite', 'memory'] as const) {
    await using many = await startServer(kind)
    await fillNamespaces(many)
    rows.push(...(await measureReads(many, `${kind}, ${namespaces} namespaces`, 'ns-5000', '/svc/web')))
    await using large = await startServer(kind)
    await fillEntries(large)
    rows.push(...(await measureReads(large, `${kind}, ${entries} entries`, 'large', '/svc/name-777')))
  }
  printTable([['store', 'request', 'p50 ms', 'p99 ms', 'wanted p99'], ...rows])
}

async function fillNamespaces({ port }: OwnServer): Promise<void> {
  const text = '/svc => /$/inet/127.0.0.1/80 ;\n/svc/web => /$/inet/127.0.0.1/81 ;\n'
  const fill = async (first: number): Promise<void> => {
    const request = (n: number): string => httpRequest('PUT', `/api/dtabs/ns-${n}`, text, 'application/dtab')
    const client = await httpClient(port, request)
    for (let n = first; n < namespaces; n += writersAtOnce) await client.write(n)
    client.close()
  }
  await Promise.all(Array.from({ length: writersAtOnce }, (_, n) => fill(n)))
}

async function fillEntries({ port }: OwnServer): Promise<void> {
  const entry = (n: number): string => `/svc/name-${n} => /$/inet/127.0.0.1/${1_000 + (n % 60_000)} ;\n`
  const text = Array.from({ length: entries }, (_, n) => entry(n)).join('')
  const client = await httpClient(port, () => httpRequest('PUT', '/api/dtabs/large', text, 'application/dtab'))
  await client.write(0)
  client.close()
}

async function measureReads({ port }: OwnServer, store: string, namespace: string, path: string): Promise<Row[]> {
  const reads: readonly (readonly [string, string, number])[] = [
    ['list', '/api/dtabs', largeRequests],
    ['get, JSON', `/api/dtabs/${namespace}`, largeRequests],
    ['bind', `/api/bind/${namespace}?path=${path}`, requests],
  ]
  const rows: Row[] = []
  for (const [what, url, count] of reads) {
    const client = await httpClient(port, () => `GET ${url} HTTP/1.1\r\nHost: bench\r\n\r\n`)
    const times = await timeReads(client, count)
    client.close()
    rows.push([store, what, percentile(times, 0.5).toFixed(2), percentile(times, 0.99).toFixed(2), '< 10 ms'])
  }
  return rows
}

/** After the first few, which open and print what the others find ready. */
async function timeReads(client: WriteClient, count: number): Promise<readonly number[]> {
  const warmUp = 10
  const times: number[] = []
  for (let n = 0; n < count + warmUp; n++) {
    const askedAt = performance.now()
    await client.write(n)
    if (n >= warmUp) times.push(performance.now() - askedAt)
  }
  return times
}
