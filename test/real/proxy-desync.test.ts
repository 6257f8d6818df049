import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { locateBackend, locateTool } from '../../backends/locate.ts'
import { type Answer, answersTo, outOfStep } from '../proxy-client/http1/desync-check.fixture.ts'
import { hostileRequests } from '../proxy-client/http1/hostile-corpus.fixture.ts'
import { hostileStream } from '../proxy-client/http1/hostile-mutator.fixture.ts'
import { sendBytes } from '../proxy-client/http1/raw-client.fixture.ts'
import { seenField, startRecordingBackend } from '../proxy-client/http1/recording-backend.fixture.ts'
import { endpointAt } from '../proxy-client/naming.fake.ts'
import { startTestProxy } from '../proxy-client/proxy.fixture.ts'
import { seededRandom } from '../proxy-client/seeded-random.fixture.ts'
import { BackendProcess, freePorts } from './backend-process.fixture.ts'

const mutants = 1_000

const atEnd = (close: () => unknown): void => onTestFinished(async () => void (await close()))

/** Starts a server that relays from a port to a backend. */
type StartRelay = (folder: string, port: number, backendPort: number) => Promise<BackendProcess>

const startNginx: StartRelay = async (folder, port, backendPort) => {
  const file = join(folder, 'nginx.conf')
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  await Promise.all(kinds.map(kind => mkdir(join(folder, kind))))
  await writeFile(
    file,
    `daemon off; master_process off; error_log stderr crit; pid ${folder}/pid; events { worker_connections 500; }
     http {
       ${kinds.map(kind => `${kind}_temp_path ${folder}/${kind};`).join(' ')} access_log off; keepalive_requests 1000000;
       server {
         listen 127.0.0.1:${port};
         location / { proxy_pass http://127.0.0.1:${backendPort}; proxy_http_version 1.1; proxy_set_header Host $http_host; }
       }
     }`,
  )
  return new BackendProcess(locateTool('nginx'), ['-c', file, '-p', folder], folder)
}

const startEnvoy: StartRelay = async (folder, port, backendPort) => {
  const file = join(folder, 'envoy.json')
  const address = (at: number): object => ({ socket_address: { address: '127.0.0.1', port_value: at } })
  const manager = {
    '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: 'http',
    route_config: {
      virtual_hosts: [{ name: 'web', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'web' } }] }],
    },
    http_filters: [
      {
        name: 'envoy.filters.http.router',
        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
      },
    ],
  }
  const filter = { name: 'envoy.filters.network.http_connection_manager', typed_config: manager }
  const endpoints = [{ lb_endpoints: [{ endpoint: { address: address(backendPort) } }] }]
  const cluster = { name: 'web', type: 'STATIC', load_assignment: { cluster_name: 'web', endpoints } }
  const listeners = [{ address: address(port), filter_chains: [{ filters: [filter] }] }]
  await writeFile(file, JSON.stringify({ static_resources: { listeners, clusters: [cluster] } }))
  const argv = ['-c', file, '--concurrency', '1', '--disable-hot-restart', '-l', 'error']
  return new BackendProcess(locateBackend('envoy'), argv, folder)
}

function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

/** Our proxy in front of a relay in front of a backend that keeps what it gets. */
async function setUp(start: StartRelay) {
  const folder = await mkdtemp(join(tmpdir(), 'nameplane-desync-'))
  atEnd(() => rm(folder, { recursive: true }))
  const backend = await startRecordingBackend(atEnd)
  const [relayPort = 0] = await freePorts(1)
  const relay = await start(folder, relayPort, backend.port)
  atEnd(() => relay.kill())
  await relay.until('listening', () => accepts(relayPort))
  const { naming, port } = await startTestProxy({ router: { identifier: { kind: 'io.l5d.static', path: '/web' } } })
  naming.route('/svc/web', '/#/web', [endpointAt(relayPort)])
  return { backend, port }
}

const isBackends = ({ fields }: Answer): boolean => fields.first(seenField) !== undefined

describe('what hostile clients send', () => {
  it.each([
    ['nginx', startNginx],
    ['Envoy', startEnvoy],
  ] as const)('is read by %s behind the proxy as the proxy has read it', { timeout: 300_000 }, async (_name, start) => {
    const { backend, port } = await setUp(start)
    const random = seededRandom(12)
    const streams = [
      ...hostileRequests.map(({ bytes }) => bytes),
      ...Array.from({ length: mutants }, (_, i) => hostileStream(`m${i}`, random)),
    ]
    const refusedBehind = new Set<number>()
    for (const stream of streams) {
      const before = backend.requests.length
      const answer = await sendBytes(port, stream)
      const seen = backend.requests.slice(before)
      expect(outOfStep({ stream, answer, seen, isUpstreams: isBackends }), JSON.stringify({ stream, answer })).toEqual(
        [],
      )
      for (const { status, fields } of answersTo(stream, answer)) {
        if (fields.first(seenField) === undefined && fields.first('l5d-err') === undefined) refusedBehind.add(status)
      }
    }
    expect(backend.requests.length).toBeGreaterThan(streams.length / 4)
    // Methods that it does not know, paths that it does not like, and 403 of Envoy to upgrades that it does not know.
    expect([...refusedBehind].filter(status => ![400, 403, 404, 405].includes(status))).toEqual([])
  })
})
