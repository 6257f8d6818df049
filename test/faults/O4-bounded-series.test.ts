// O4: metrics stay bounded, whatever is asked for. More names are bound and watched than there may be series.
import { describe, expect, it } from 'vitest'
import { createWatchClient } from '../../proxy-client/watch/watch-client.ts'
import { silentLog } from '../../runtime/log.ts'
import { createMetrics } from '../../runtime/metrics.ts'
import { systemClock, systemRandom } from '../../watch/clock.ts'
import { createKernel } from '../../watch/kernel.ts'
import { Mesh, putDtab } from '../e2e/mesh.fixture.ts'
import { ProxyClient } from '../e2e/request.fixture.ts'

const names = 4_000
const maxSeries = 3_000

async function seriesAt(adminPort: number): Promise<number> {
  const exposition = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text()
  return exposition.split('\n').filter(line => line !== '' && !line.startsWith('#')).length
}

describe('O4: metrics', () => {
  it('have under 3,000 series with 4,000 names watched, in the server and in its client', async () => {
    await using mesh = await Mesh.create()
    await mesh.discover('web', '127.0.0.1 1\n')
    const ports = await mesh.startServer()
    await putDtab(ports.http, 'default', '/svc/* => /#/io.l5d.fs/web')
    const kernel = createKernel({
      clock: systemClock,
      onError: error => {
        throw error
      },
    })
    const metrics = createMetrics()
    const client = createWatchClient({
      addresses: [`127.0.0.1:${ports.grpc}`],
      clientId: 'many names',
      kernel,
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      metrics,
    })
    await new Promise<void>(resolve => {
      let bound = 0
      for (let n = 0; n < names; n++) {
        client.bind({ namespace: 'default', path: ['svc', `name-${n}`] }).watch(state => {
          if (state.kind === 'ok' && state.value.kind === 'leaf' && ++bound === names) resolve()
        })
      }
    })
    const clientSeries = (await metrics.expose()).body.split('\n').length
    expect([(await seriesAt(ports.admin)) < maxSeries, clientSeries < maxSeries]).toEqual([true, true])
    client.close()
    kernel.close()
  })

  it('of a proxy do not grow with the hosts that clients ask for', async () => {
    await using mesh = await Mesh.create()
    const ports = await mesh.startServer()
    const proxy = await mesh.startProxy([ports.grpc])
    await using client = new ProxyClient(proxy.port)
    await putDtab(ports.http, 'default', '/svc => /$/nil')
    const ask = async (from: number, to: number): Promise<number> => {
      for (let n = from; n < to; n++) await client.get(`host-${n}`)
      return await seriesAt(proxy.adminPort)
    }
    // More names than are kept: from here on those that were let go count together.
    const few = await ask(0, 150)
    expect(await ask(150, 300)).toBe(few)
  })
})
