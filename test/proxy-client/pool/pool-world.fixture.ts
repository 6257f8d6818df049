// A pool in front of a raw backend, with a clock that stands still.
import type { Endpoint } from '../../../naming/replica-set.ts'
import { clientSessionConfig, connectionPoolConfig } from '../../../proxy-client/pool/pool-config.ts'
import { createSocketPools } from '../../../proxy-client/pool/socket-pool.ts'
import type { Sending, Upstream, UpstreamRequest } from '../../../proxy-client/pool/upstream.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { type BackendConnection, openRawBackend, type RawBackend } from './raw-backend.fixture.ts'
import { RecordingHandler } from './recording-handler.fixture.ts'

export interface PoolSettings {
  readonly clientSession?: Readonly<Record<string, number>>
  readonly hostConnectionPool?: Readonly<Record<string, number>>
  /** Instead of the backend's. */
  readonly endpoint?: Endpoint
}

export class PoolWorld {
  readonly clock = new FakeClock()
  readonly backend: RawBackend
  readonly pool: Upstream
  /** Errors of the pool's own. */
  readonly crashes: unknown[] = []

  constructor(backend: RawBackend, { clientSession = {}, hostConnectionPool = {}, endpoint }: PoolSettings) {
    this.backend = backend
    const create = createSocketPools({
      clientSession: clientSessionConfig.parse(clientSession),
      hostConnectionPool: connectionPoolConfig.parse(hostConnectionPool),
      clock: this.clock,
      onCrash: error => this.crashes.push(error),
    })
    this.pool = create(endpoint ?? backend.endpoint)
  }

  /** Sends with a handler of its own. */
  send(request: UpstreamRequest, handler = new RecordingHandler()): RecordingHandler {
    this.begin(request, handler)
    return handler
  }

  begin(request: UpstreamRequest, handler: RecordingHandler): Sending {
    return this.pool.send(request, handler)
  }

  async close(): Promise<void> {
    await this.pool.destroy(new Error('the test is over'))
    await this.backend.close()
  }
}

export async function openWorld(
  settings: PoolSettings = {},
  onConnection?: (connection: BackendConnection) => void,
): Promise<PoolWorld> {
  return new PoolWorld(await openRawBackend(onConnection), settings)
}
