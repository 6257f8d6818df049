// P6: A peer that is frozen answers nothing and closes nothing: what it holds here must be freed all the same.
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import { promisify } from 'node:util'
import { Client, credentials, ServerCredentials } from '@grpc/grpc-js'
import { afterEach, describe, expect, test } from 'vitest'
import { createGrpcServer, grpcServerDefaults } from '../../api/grpc/grpc-server.ts'
import type { WatchCall } from '../../api/grpc/watch-session.ts'
import { Connections } from '../../api/push/connections.ts'
import { neg } from '../../naming/name-tree.ts'
import { namingService } from '../../proto/naming-service.ts'
import type { Metrics } from '../../runtime/metrics.ts'
import { systemClock } from '../../watch/clock.ts'
import { RawStream, startServer, type TestServer, until } from '../api/grpc/grpc-api.fixture.ts'
import { type Relay, startRelay } from '../fakes/relay.fixture.ts'

const version: unknown = createRequire(import.meta.url)('@grpc/grpc-js/package.json').version

/** Both ends are of this process: a peer that lives answers late when the machine is busy, for longer than a few ms. */
const keepalive = { keepaliveMs: 50, keepaliveTimeoutMs: 1_000 }

let server: TestServer | undefined
let relay: Relay
let client: Client

async function connect(port: number): Promise<void> {
  relay = await startRelay(port)
  // Windows so wide that only the sockets' own buffers hold back what is sent.
  client = new Client(relay.address, credentials.createInsecure(), { 'grpc-node.flow_control_window': 2 ** 30 })
}

async function gauges(metrics: Metrics): Promise<readonly string[]> {
  const { body } = await metrics.expose()
  return body.split('\n').filter(line => /^nameplane_(grpc_connections|push_streams)\b/.test(line))
}

describe('P6: a peer that is frozen', () => {
  afterEach(async () => {
    client.close()
    relay.close()
    await server?.close()
    server = undefined
  })

  test('has its streams and subscriptions freed, and others go on', async () => {
    server = await startServer({ ...keepalive, drainMs: 0 })
    const { address, port, api, metrics, interpreter } = server
    await connect(port)
    const other = new RawStream(address)
    const lost = new RawStream(relay.address, client)
    for (const stream of [lost, other]) stream.subscribe(['default/svc/web'])
    await Promise.all([lost.received(1), other.received(1)])
    expect(await gauges(metrics)).toEqual([
      'nameplane_grpc_connections 2',
      'nameplane_push_streams{service="nameplane.v1.Naming"} 2',
    ])
    relay.freeze()
    await until(() => api.counts().streams === 1 && api.connections().connections === 1)
    expect(api.counts().subscriptions).toBe(1)
    expect(await gauges(metrics)).toEqual([
      'nameplane_grpc_connections 1',
      'nameplane_push_streams{service="nameplane.v1.Naming"} 1',
    ])
    interpreter.tree('default/svc/web').set(neg)
    await other.received(2)
    other.close()
  })

  test('has its socket closed also while more is on its way to it than the socket holds', async () => {
    const connections = new Connections(systemClock)
    const sockets: Socket[] = []
    const bare = createGrpcServer(
      { ...grpcServerDefaults, ...keepalive, keepaliveTimeoutMs: 50 },
      (session, socket) => {
        connections.of(session, socket)
        if (socket !== undefined) sockets.push(socket)
      },
    )
    let isCancelled = false
    bare.addService(namingService, {
      Watch: (call: WatchCall) => {
        relay.freeze()
        call.on('cancelled', () => {
          isCancelled = true
        })
        call.write(Buffer.alloc(32_000_000))
      },
      Resolve: () => {},
    })
    const bind = promisify(bare.bindAsync.bind(bare))
    await connect(await bind('127.0.0.1:0', ServerCredentials.createInsecure()))
    const lost = new RawStream(relay.address, client)
    await until(() => isCancelled)
    expect([connections.size, sockets[0]?.destroyed]).toEqual([1, false])
    connections.cutOver()
    connections.cutOver()
    await until(() => connections.size === 0)
    expect(sockets[0]?.destroyed).toBe(true)
    lost.close()
    bare.forceShutdown()
  })
})

test('P6: peers are asked every 10 s whether they are there, and given up 5 s after they did not answer', () => {
  expect(grpcServerDefaults).toMatchObject({ keepaliveMs: 10_000, keepaliveTimeoutMs: 5_000 })
})

test('P6: this grpc-js finds out who does not answer: the versions before 1.14.7 only waited for its streams', () => {
  const [major = 0, minor = 0, patch = 0] = String(version).split('.').map(Number)
  expect(major * 1e6 + minor * 1e3 + patch).toBeGreaterThanOrEqual(1_014_007)
})
