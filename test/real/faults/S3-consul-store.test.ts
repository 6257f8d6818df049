// S3: people put, spoil and delete texts by Consul's own tools, while three servers look on. What is a dtab becomes one version;
// what is none is shown with its place, and the namespace stays as it was.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { maxConsulDtabBytes } from '../../../storage/consul/consul-backend.ts'
import type { RefusedText, Store, Version } from '../../../storage/store.ts'
import { request } from '../../contract/store.contract.ts'
import { RealConsul } from '../consul.fixture.ts'
import { freshPrefix, type OpenStore, startStore } from '../storage/consul-store.fixture.ts'
import { sleep, untilTrue } from '../storage/store.fixture.ts'

const good = '/svc => /#/io.l5d.fs ;\n'

const refused: readonly {
  readonly what: string
  readonly text: string | Uint8Array
  readonly reason: string | RegExp
  readonly place?: { readonly line: number; readonly column: number }
}[] = [
  { what: 'garbage', text: '/svc => /a ;\nthis is no dtab', reason: /./, place: { line: 2, column: 1 } },
  { what: 'a byte order mark', text: `\uFEFF${good}`, reason: /./, place: { line: 1, column: 1 } },
  {
    what: 'binary',
    text: Buffer.from([0x2f, 0x61, 0xff, 0xfe, 0x00]),
    reason: 'it is not UTF-8',
    place: { line: 1, column: 3 },
  },
  {
    what: 'a text of one byte too much',
    text: `#${'x'.repeat(maxConsulDtabBytes)}`,
    reason: /184321 bytes; this store holds at most 184320/,
  },
]

const taken: readonly (readonly [string, string | undefined])[] = [
  ['a dtab', '/svc => /#/io.l5d.k8s ; # by hand\n'],
  ['an empty text', ''],
  ['lines that end in CRLF', '/svc => /a ;\r\n/b => /c ;\r\n'],
  ['the largest text there may be', `${good}#${'x'.repeat(maxConsulDtabBytes - good.length - 1)}`],
  ['the same text once more', good],
  ['a deletion', undefined],
]

/** What a server shows of one namespace. */
class Onlooker {
  head: Version | undefined
  refused: RefusedText | undefined
  readonly versions: number[] = []

  constructor({ store }: OpenStore, namespace: string) {
    store.observe(namespace).watch(state => {
      if (state.kind !== 'ok') return
      this.head = state.value
      if (state.value !== undefined) this.versions.push(state.value.version)
    })
    store.refusals().watch(state => {
      if (state.kind === 'ok') this.refused = state.value.find(refusal => refusal.namespace === namespace)
    })
  }
}

describe.concurrent('S3: with three servers on one Consul', () => {
  const pathPrefix = freshPrefix()
  let consul: RealConsul
  let servers: readonly OpenStore[]

  beforeAll(async () => {
    consul = await RealConsul.start()
    servers = await Promise.all([1, 2, 3].map(() => startStore({ port: consul.port, pathPrefix })))
  })
  afterAll(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]()
    await consul[Symbol.asyncDispose]()
  })

  const put = (namespace: string, text: string | Uint8Array): Promise<void> =>
    consul.api.putKey(`${pathPrefix}/${namespace}`, text)

  const first = (): Store | undefined => servers[0]?.store
  const onlookers = (namespace: string): readonly Onlooker[] => servers.map(server => new Onlooker(server, namespace))
  const authors = async (namespace: string): Promise<readonly string[]> =>
    ((await first()?.history(namespace, { limit: 100 })) ?? []).map(({ version, meta }) => `${version} ${meta.author}`)

  it.each(taken)('%s becomes one version', async (what, text) => {
    const namespace = `taken-${taken.findIndex(([name]) => name === what)}`
    await first()?.write(request(namespace, good))
    const all = onlookers(namespace)
    await untilTrue('version 1 on all', () => all.every(({ head }) => head?.version === 1))
    if (text === undefined) await consul.api.deleteKey(`${pathPrefix}/${namespace}`)
    else await put(namespace, text)
    await untilTrue('version 2 on all', () => all.every(({ head }) => head?.version === 2))
    for (const { head, versions } of all) {
      expect(head).toMatchObject({ meta: { author: 'external', parent: 1 } })
      expect(head?.text).toBe(text)
      expect(versions).toEqual([1, 2])
    }
    expect(await authors(namespace)).toEqual(['2 external', '1 ann'])
  })

  it.each([
    ['the text', '/by => /hand'],
    ['the text that is there', good],
  ])(
    '%s with the number of the next version in its flags, as from an export, becomes one version',
    async (what, text) => {
      const namespace = `flags-${what.length}`
      await first()?.write(request(namespace, good))
      const all = onlookers(namespace)
      await untilTrue('version 1 on all', () => all.every(({ head }) => head?.version === 1))
      await consul.api.request('PUT', `/kv/${pathPrefix}/${namespace}?flags=2`, text)
      await untilTrue('version 2 on all', () => all.every(({ head }) => head?.version === 2))
      await first()?.write(request(namespace, '/next => /1'))
      await untilTrue('version 3 on all', () => all.every(({ head }) => head?.version === 3))
      expect(await authors(namespace)).toEqual(['3 ann', '2 external', '1 ann'])
    },
  )

  it.each(refused)('$what is shown with its place, and the next good text is taken', async bad => {
    const { text, reason, place } = bad
    const namespace = `refused-${refused.indexOf(bad)}`
    await first()?.write(request(namespace, good))
    const all = onlookers(namespace)
    await untilTrue('version 1 on all', () => all.every(({ head }) => head?.version === 1))
    await put(namespace, text)
    await untilTrue('a refusal on all', () => all.every(onlooker => onlooker.refused !== undefined))
    for (const { head, refused: refusal } of all) {
      expect(head).toMatchObject({ version: 1, text: good })
      expect(refusal?.reason).toMatch(reason)
      if (place !== undefined) expect(refusal?.position).toMatchObject(place)
    }
    expect(await first()?.head(namespace)).toMatchObject({ version: 1, text: good })
    await put(namespace, '/next => /good')
    await untilTrue('version 2 on all', () => all.every(({ head }) => head?.version === 2))
    await untilTrue('no refusal', () => all.every(onlooker => onlooker.refused === undefined))
    expect(await authors(namespace)).toEqual(['2 external', '1 ann'])
  })

  it('a write takes the place of what was refused', async () => {
    const namespace = 'written-over'
    await first()?.write(request(namespace, good))
    const all = onlookers(namespace)
    await put(namespace, 'garbage')
    await untilTrue('a refusal on all', () => all.every(onlooker => onlooker.refused !== undefined))
    const { written } = (await first()?.write(request(namespace, '/a=>/b'))) ?? {}
    expect(written?.version).toBe(2)
    await untilTrue('version 2 on all', () => all.every(({ head, refused: r }) => head?.version === 2 && !r))
  })

  it('texts that were there before the first server become version 1, and keys that are none are left alone', async () => {
    const before = { port: consul.port, pathPrefix: freshPrefix() }
    await consul.api.putKey(`${before.pathPrefix}/old`, good)
    await consul.api.putKey(`${before.pathPrefix}/spoilt`, 'garbage')
    await consul.api.putKey(`${before.pathPrefix}/nested/key`, good)
    await consul.api.putKey(`${before.pathPrefix}/_odd`, good)
    await using one = await startStore(before)
    await using two = await startStore(before)
    const lists: (readonly string[])[] = [[], []]
    for (const [place, { store }] of [one, two].entries())
      store.list().watch(state => {
        if (state.kind === 'ok') lists[place] = state.value.map(({ namespace, version }) => `${namespace} ${version}`)
      })
    await untilTrue('the old one in both lists', () => lists.every(list => list.join() === 'old 1'))
    const [only, ...others] = await two.store.history('old', { limit: 10 })
    expect(only).toMatchObject({ version: 1, meta: { author: 'external', parent: 0 } })
    expect(others).toEqual([])
  })

  it('no edit in the middle of other writes is missed', async () => {
    const quiet = Array.from({ length: 20 }, (_, n) => `quiet-${n}`)
    for (const namespace of quiet) await first()?.write(request(namespace, good))
    const all = quiet.flatMap(onlookers)
    await untilTrue('version 1 on all', () => all.every(({ head }) => head?.version === 1))
    let isBusy = true
    const write = async (n: number): Promise<void> => {
      for (let i = 0; isBusy; i++) await servers[n]?.store.write(request(`busy-${n}`, `/a=>/b${i}`))
    }
    const writers = [0, 1, 2].map(write)
    for (const namespace of quiet) {
      await sleep(20)
      await put(namespace, '/by => /hand')
    }
    await sleep(50)
    isBusy = false
    await Promise.all(writers)
    await untilTrue('version 2 on all', () => all.every(({ head }) => head?.version === 2))
    for (const namespace of quiet) expect(await authors(namespace)).toEqual(['2 external', '1 ann'])
  })

  it('a head record that somebody deletes costs nobody the dtab', async () => {
    const namespace = 'recordless'
    await first()?.write(request(namespace, good))
    const all = onlookers(namespace)
    await untilTrue('version 1 on all', () => all.every(({ head }) => head?.version === 1))
    const heads: unknown[] = []
    servers[1]?.store.observe(namespace).watch(state => void heads.push(state.kind === 'ok' && state.value?.text))
    const folder = `nameplane/${pathPrefix.replaceAll('/', ':')}`
    await consul.api.deleteKey(`${folder}/heads/${namespace}`)
    await untilTrue('version 2 on all', () => all.every(({ head }) => head?.version === 2))
    expect(new Set(heads)).toEqual(new Set([good]))
    expect(await authors(namespace)).toEqual(['2 external', '1 ann'])
  })
})
