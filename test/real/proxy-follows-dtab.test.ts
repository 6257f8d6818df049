import type { Agent } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { keepAliveAgent, send, startNamed } from '../proxy-client/proxy.fixture.ts'
import { type Cluster, startCluster } from './proxy-cluster.fixture.ts'

const state = z.looseObject({
  routers: z.array(z.looseObject({ naming: z.looseObject({ facts: z.looseObject({ messagesSent: z.number() }) }) })),
})

const route = (target: string): string => `/svc/web => /#/io.l5d.fs/${target};`

const ends: (() => unknown)[] = []
const atEnd = (end: () => unknown): void => void ends.push(end)
let cluster: Cluster
let agent: Agent

beforeAll(async () => {
  const [blue, green] = [await startNamed('blue', atEnd), await startNamed('green', atEnd)]
  cluster = await startCluster({ blue: blue.port, green: green.port }, atEnd)
  agent = keepAliveAgent(16, atEnd)
})

beforeEach(async () => {
  await cluster.putForAll(route('blue'))
  await reach('blue')
})

afterAll(async () => {
  for (const end of ends.toReversed()) await end()
})

async function get(): Promise<string> {
  const { status, body } = await send(cluster.proxyPort, { agent })
  return status === 200 ? body : `${status} ${body}`
}

/** Asks until a target answers. */
async function reach(target: string): Promise<void> {
  await expect.poll(get).toBe(target)
}

async function messagesSent(): Promise<number> {
  const [router] = state.parse(await cluster.state()).routers
  return router?.naming.facts.messagesSent ?? Number.NaN
}

describe('traffic through a proxy', () => {
  it('follows 20 flips of the dtab under load without one failed request', async () => {
    const answers = new Map<string, number>()
    let isDone = false
    const client = async (): Promise<void> => {
      while (!isDone) {
        const answer = await get()
        answers.set(answer, (answers.get(answer) ?? 0) + 1)
      }
    }
    const clients = Array.from({ length: 2 }, client)
    for (let flip = 1; flip <= 20; flip++) {
      const target = flip % 2 === 0 ? 'blue' : 'green'
      await cluster.put(route(target))
      await reach(target)
    }
    isDone = true
    await Promise.all(clients)
    expect([...answers.keys()].toSorted()).toEqual(['blue', 'green'])
    await Promise.all(Array.from({ length: 20 }, () => expect(get()).resolves.toBe('blue')))
  })

  it('sends to both sides of a split', async () => {
    await cluster.put('/svc/web => 1 * /#/io.l5d.fs/green & 9 * /#/io.l5d.fs/blue;')
    await reach('green')
    await reach('blue')
    await reach('green')
  })

  it('does not touch the server for a name that is bound', async () => {
    const before = await messagesSent()
    for (let i = 0; i < 50; i++) await get()
    expect(await messagesSent()).toBe(before)
  })

  it('goes on while the server is away, and follows the dtab again when it is back', async () => {
    await cluster.stopServer()
    for (let i = 0; i < 50; i++) expect(await get()).toBe('blue')
    expect(await cluster.ready()).toBe(200)
    await cluster.startServer()
    await cluster.put(route('green'))
    await reach('green')
  })
})
