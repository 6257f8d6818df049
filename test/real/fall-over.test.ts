// Traffic of a real proxy falls over from a real Kubernetes to a real Consul to files, when it is due and only then.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from './backend-process.fixture.ts'
import { ThreeSources } from './three-sources.fixture.ts'
import { Traffic } from './traffic.fixture.ts'

/** Long enough for two writes and what they cause, on a slow machine too. */
const holdDownMs = 2_000
const services = Array.from({ length: 12 }, (_, n) => `of-twelve-${n}`)

describe('falling over between Kubernetes, Consul and files', () => {
  let sources: ThreeSources
  beforeAll(async () => {
    sources = await ThreeSources.start(holdDownMs)
    await sources.addSlice('web')
    await sources.register('web')
    await sources.writeFile('web')
    await sources.register('only-in-consul')
  })
  afterAll(() => sources?.[Symbol.asyncDispose]())

  it('goes to the next source once the hold-down is over, and back at once', async () => {
    await using traffic = new Traffic(sources.proxyPort, ['web'])
    await traffic.until('kubernetes')
    await traffic.rounds(100)
    expect(traffic.take()).toEqual({ web: ['kubernetes'] })

    await sources.setReady('web', false)
    await traffic.until('failed')
    await sources.setReady('web', true)
    await traffic.until('kubernetes')
    expect(traffic.take(), 'a blink').toEqual({ web: ['kubernetes', 'failed', 'kubernetes'] })

    await sources.setReady('web', false)
    await traffic.until('consul')
    expect(traffic.take(), 'unready in Kubernetes').toEqual({ web: ['kubernetes', 'failed', 'consul'] })

    await sources.consul.api.deregister('web')
    await traffic.until('file')
    expect(traffic.take(), 'gone from Consul').toEqual({ web: ['consul', 'failed', 'file'] })

    await sources.register('web')
    await traffic.until('consul')
    expect(traffic.take(), 'back in Consul').toEqual({ web: ['file', 'consul'] })

    await sources.setReady('web', true)
    await traffic.until('kubernetes')
    await traffic.rounds(100)
    expect(traffic.take(), 'ready in Kubernetes').toEqual({ web: ['consul', 'kubernetes'] })
  })

  it('holds back the loss of twelve services at once, until an operator says that it is meant', async () => {
    for (const service of services) {
      await sources.addSlice(service)
      await sources.register(service)
    }
    await using traffic = new Traffic(sources.proxyPort, services)
    await traffic.until('kubernetes')
    traffic.take()
    const all = (...answers: readonly string[]): object =>
      Object.fromEntries(services.map(service => [service, answers]))

    await sources.deleteSlices(services)
    await eventually('twelve held names', async () => (await sources.source('io.l5d.k8s')).held === services.length)
    expect(await sources.source('io.l5d.k8s')).toEqual({ state: 'held', held: services.length })
    expect(await sources.metric('source_names_held')).toBe(services.length)
    expect(await sources.namerctl('sources')).toMatch(/^io\.l5d\.k8s +held .* the loss of 12 names is held back/m)
    const heldAt = performance.now()
    while (performance.now() - heldAt < 1.5 * holdDownMs) await traffic.rounds(10)
    expect(traffic.take(), 'held').toEqual(all('kubernetes'))

    const told = await sources.namerctl('sources', 'release', 'io.l5d.k8s', '-m', 'they are gone, and that is meant')
    expect(told).toBe(`Released ${services.length} names of io.l5d.k8s\n`)
    await traffic.until('consul')
    expect(await sources.source('io.l5d.k8s')).toEqual({ state: 'ok', held: 0 })
    // What was released is gone at once; a request may come before Consul has told what it has.
    const released = Object.entries(traffic.take()).map(([service, answers]) => [service, answers.filter(isAnswered)])
    expect(Object.fromEntries(released), 'released').toEqual(all('kubernetes', 'consul'))

    for (const service of services) await sources.addSlice(service)
    await traffic.until('kubernetes')
    expect(traffic.take(), 'back').toEqual(all('consul', 'kubernetes'))
  })

  it('does not happen because an API server or an agent is killed', async () => {
    await using traffic = new Traffic(sources.proxyPort, ['web'])
    await using second = new Traffic(sources.proxyPort, ['only-in-consul'])
    await traffic.until('kubernetes')
    await second.until('consul')
    await traffic.rounds(1)
    traffic.take()
    second.take()

    await sources.kubernetes.killApiServer()
    await eventually('Kubernetes degraded', async () => (await sources.source('io.l5d.k8s')).state === 'degraded')
    await sources.consul.kill()
    await eventually('Consul degraded', async () => (await sources.source('io.l5d.consul')).state === 'degraded')
    const killedAt = performance.now()
    while (performance.now() - killedAt < 1.5 * holdDownMs) await Promise.all([traffic.rounds(10), second.rounds(10)])

    await sources.kubernetes.startApiServer()
    await eventually('Kubernetes well', async () => (await sources.source('io.l5d.k8s')).state === 'ok')
    await Promise.all([traffic.rounds(10), second.rounds(10)])
    expect([traffic.take(), second.take()]).toEqual([{ web: ['kubernetes'] }, { 'only-in-consul': ['consul'] }])
  })
})

const isAnswered = (answer: string): boolean => answer !== 'failed'
