// The proxies that are compared, each as one process on one core in front of the same backend, with connections kept alive.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { locateBackend, locateTool } from '../../backends/locate.ts'
import { nameplane, portOf, root } from '../../test/e2e/process.fixture.ts'
import { freePorts } from '../../test/real/backend-process.fixture.ts'
import { loadCore, Pinned, proxyCore, untilListening } from './pinned.ts'

export interface Peer extends AsyncDisposable {
  readonly name: string
  readonly port: number
  readonly process: Pinned
}

/** What every peer needs to know. */
export interface Site {
  /** For configurations, bodies and logs. */
  readonly folder: string
  readonly backendPort: number
}

const smallBody =
  'hello from the backend of the benchmark, about a hundred bytes of text so that a body is there at all\n'
const largeBytes = 1024 * 1024

/** nginx on the load core: `/` is small, `/large` 1 MB from a file. */
export async function startBackend(folder: string): Promise<Site & AsyncDisposable> {
  const backendPort = await freePort()
  await mkdir(join(folder, 'files'), { recursive: true })
  await writeFile(join(folder, 'files/large'), Buffer.alloc(largeBytes, 'x'))
  const pinned = await startNginx(
    folder,
    'backend',
    loadCore,
    `keepalive_requests 1000000000;
     server { listen 127.0.0.1:${backendPort} backlog=4096; location = / { default_type text/plain; return 200 "${smallBody.trim()}"; } root ${folder}/files; }`,
  )
  await untilListening(backendPort)
  return { folder, backendPort, [Symbol.asyncDispose]: () => pinned[Symbol.asyncDispose]() }
}

async function startNginx(folder: string, name: string, core: number, http: string): Promise<Pinned> {
  const file = join(folder, `${name}.conf`)
  await mkdir(join(folder, name), { recursive: true })
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    kind => `${kind}_temp_path ${folder}/${name}/${kind};`,
  )
  await writeFile(
    file,
    `daemon off; master_process off; worker_rlimit_nofile 20000; error_log stderr crit; pid ${folder}/${name}/pid;
     events { worker_connections 19000; }
     http { access_log off; sendfile on; tcp_nodelay on; ${paths.join(' ')} ${http} }`,
  )
  return new Pinned(core, locateTool('nginx'), ['-c', file, '-p', folder])
}

async function ready(name: string, port: number, process: Pinned): Promise<Peer> {
  await untilListening(port)
  return { name, port, process, [Symbol.asyncDispose]: () => process[Symbol.asyncDispose]() }
}

export async function nginxPeer({ folder, backendPort }: Site): Promise<Peer> {
  const port = await freePort()
  const pinned = await startNginx(
    folder,
    'nginx',
    proxyCore,
    `keepalive_requests 1000000000;
     upstream web { server 127.0.0.1:${backendPort}; keepalive 256; keepalive_requests 1000000000; }
     server { listen 127.0.0.1:${port} backlog=4096; location / { proxy_pass http://web; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; } }`,
  )
  return await ready('nginx', port, pinned)
}

export async function haproxyPeer({ folder, backendPort }: Site): Promise<Peer> {
  const port = await freePort()
  const file = join(folder, 'haproxy.cfg')
  await writeFile(
    file,
    `global
  nbthread 1
  maxconn 9000
  tune.bufsize 65536
defaults
  mode http
  timeout connect 1s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend f
  bind 127.0.0.1:${port} backlog 4096
  default_backend b
backend b
  server s1 127.0.0.1:${backendPort} pool-max-conn 256
`,
  )
  return await ready('haproxy', port, new Pinned(proxyCore, locateTool('haproxy'), ['-q', '-db', '-f', file]))
}

export async function envoyPeer({ folder, backendPort }: Site): Promise<Peer> {
  const port = await freePort()
  const file = join(folder, 'envoy.json')
  const cluster = {
    name: 'web',
    type: 'STATIC',
    connect_timeout: '1s',
    lb_policy: 'LEAST_REQUEST',
    load_assignment: {
      cluster_name: 'web',
      endpoints: [{ lb_endpoints: [{ endpoint: { address: socketAddress(backendPort) } }] }],
    },
    circuit_breakers: {
      thresholds: [{ max_connections: 20_000, max_pending_requests: 20_000, max_requests: 20_000 }],
    },
  }
  const manager = {
    '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: 'http',
    route_config: {
      virtual_hosts: [
        {
          name: 'web',
          domains: ['*'],
          routes: [{ match: { prefix: '/' }, route: { cluster: 'web', timeout: '10s', retry_policy: retries } }],
        },
      ],
    },
    http_filters: [
      {
        name: 'envoy.filters.http.router',
        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
      },
    ],
  }
  const listener = {
    address: socketAddress(port),
    filter_chains: [{ filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }] }],
  }
  await writeFile(file, JSON.stringify({ static_resources: { listeners: [listener], clusters: [cluster] } }))
  const argv = ['-c', file, '--concurrency', '1', '--disable-hot-restart', '-l', 'error']
  return await ready('Envoy', port, new Pinned(proxyCore, locateBackend('envoy'), argv))
}

const retries = { retry_on: 'connect-failure', num_retries: 1 }

function socketAddress(port: number): object {
  return { socket_address: { address: '127.0.0.1', port_value: port } }
}

/** Ours from dist/, with a naming server behind it on the load core; metrics, EWMA, budgets, retries and timeouts are on. */
export function ourPeer(site: Site): Promise<Peer> {
  return ourPeerWith(site, { workers: 0, cores: proxyCore })
}

/** The same with so many workers, on these cores. */
export async function ourPeerWith(
  { folder, backendPort }: Site,
  { workers, cores }: { readonly workers: number; readonly cores: number | string },
): Promise<Peer> {
  await mkdir(join(folder, 'disco'), { recursive: true })
  await writeFile(join(folder, 'disco/web'), `127.0.0.1 ${backendPort}\n`)
  await writeFile(
    join(folder, 'server.yaml'),
    `admin: { port: 0 }
storage: { kind: io.l5d.inMemory, namespaces: { default: "/svc => /#/io.l5d.fs;" } }
namers: [{ kind: io.l5d.fs, rootDir: ${folder}/disco }]
interfaces: [{ kind: io.l5d.httpController, port: 0 }, { kind: io.l5d.mesh, port: 0 }]
`,
  )
  const server = nameplane(['serve', join(folder, 'server.yaml'), '--log-level', 'error'])
  const grpc = portOf(await server.listening(), 'grpc')
  const port = await freePort()
  const file = join(folder, `proxy-${workers}.yaml`)
  await writeFile(
    file,
    `admin: { port: 0 }
workers: ${workers}
lastGood: false
routers:
  - label: outgoing
    servers: [{ port: ${port} }]
    interpreter: { kind: nameplane, addresses: ["127.0.0.1:${grpc}"] }
    client:
      loadBalancer: { kind: ewma }
      requestAttemptTimeoutMs: 5000
    service:
      totalTimeoutMs: 10000
      responseClassifier: { kind: io.l5d.http.retryableRead5XX }
      retries: { budget: { percentCanRetry: 0.2 } }
`,
  )
  const pinned = new Pinned(cores, process.execPath, [join(root, 'dist/bin/nameplane.js'), 'proxy', file])
  const peer = await ready('nameplane', port, pinned)
  return {
    ...peer,
    async [Symbol.asyncDispose]() {
      await pinned[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

/** One port that is free now, for programs that cannot be asked which one they took. */
async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1)
  return port
}
