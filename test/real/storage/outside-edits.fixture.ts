// S3 on a real backend: people put, spoil and delete texts by its own tools while three servers look on. What is a dtab becomes
// one version; what is none is shown with its place, and the namespace stays as it was. Knows no backend.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RefusedText, Store, Version } from '../../../storage/store.ts'
import { request } from '../../contract/store.contract.ts'
import type { OpenStore } from './open-store.fixture.ts'
import { untilTrue } from './store.fixture.ts'

/** One place of the backend and three servers on it. Dispose ends all. */
export interface OutsideRig extends AsyncDisposable {
  readonly servers: readonly [OpenStore, OpenStore, OpenStore]
  put(namespace: string, content: string | Uint8Array): Promise<unknown>
  remove(namespace: string): Promise<unknown>
  /** Removes what we keep of the head. */
  removeRecord(namespace: string): Promise<unknown>
}

const good = '/svc => /#/io.l5d.fs ;\n'

interface Refused {
  readonly what: string
  readonly content: (limit: number) => string | Uint8Array
  readonly reason: RegExp
  readonly place?: { readonly line: number; readonly column: number }
}

const binary = Buffer.from([0x2f, 0x61, 0xff, 0xfe, 0x00])

const refused: readonly Refused[] = [
  { what: 'garbage', content: () => '/svc => /a ;\nthis is no dtab', reason: /./, place: { line: 2, column: 1 } },
  { what: 'a byte order mark', content: () => `\uFEFF${good}`, reason: /./, place: { line: 1, column: 1 } },
  { what: 'binary', content: () => binary, reason: /^it is not UTF-8$/, place: { line: 1, column: 3 } },
  { what: 'one byte too much', content: limit => `#${'x'.repeat(limit)}`, reason: /bytes; this store holds at most/ },
]

const sameText = 'the same text once more'

const taken: readonly (readonly [what: string, text: (limit: number) => string | undefined])[] = [
  ['a dtab', () => '/svc => /#/io.l5d.k8s ; # by hand\n'],
  ['an empty text', () => ''],
  ['lines that end in CRLF', () => '/svc => /a ;\r\n/b => /c ;\r\n'],
  ['the largest text there may be', limit => `${good}#${'x'.repeat(limit - good.length - 1)}`],
  [sameText, () => good],
  ['a deletion', () => undefined],
]

/** What a server shows of one namespace. */
class Onlooker {
  head: Version | undefined
  refused: RefusedText | undefined
  readonly versions: number[] = []

  constructor(store: Store, namespace: string) {
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

/** `sameTextIsNoEdit`: the backend takes no notice when a text is put over itself. */
export function outsideEditsContract(
  name: string,
  start: () => Promise<OutsideRig>,
  { sameTextIsNoEdit = false }: { readonly sameTextIsNoEdit?: boolean } = {},
): void {
  describe.concurrent(`S3: with three servers on one ${name}`, () => {
    let rig: OutsideRig
    beforeAll(async () => {
      rig = await start()
    }, 60_000)
    afterAll(() => rig[Symbol.asyncDispose]())

    /** Version 1 everywhere, and who looks on. */
    const begin = async (namespace: string): Promise<readonly Onlooker[]> => {
      const [{ store }] = rig.servers
      await store.write(request(namespace, good))
      const all = rig.servers.map(server => new Onlooker(server.store, namespace))
      await untilTrue('version 1 on all', () => all.every(({ head }) => head?.version === 1))
      return all
    }
    const authors = async (namespace: string): Promise<readonly string[]> =>
      (await rig.servers[0].store.history(namespace, { limit: 100 })).map(
        ({ version, meta }) => `${version} ${meta.author}`,
      )

    const edits = taken.filter(([what]) => !sameTextIsNoEdit || what !== sameText)
    it.each(edits)('%s becomes one version', async (what, textFor) => {
      const namespace = `taken-${taken.findIndex(([title]) => title === what)}`
      const text = textFor(rig.servers[0].store.maxDtabBytes)
      const all = await begin(namespace)
      await (text === undefined ? rig.remove(namespace) : rig.put(namespace, text))
      await untilTrue('version 2 on all', () => all.every(({ head }) => head?.version === 2))
      for (const { head, versions } of all) {
        expect(head).toMatchObject({ meta: { author: 'external', parent: 1 } })
        expect(head?.text).toBe(text)
        expect(versions).toEqual([1, 2])
      }
      expect(await authors(namespace)).toEqual(['2 external', '1 ann'])
    })

    it.each(refused)('$what is shown with its place, and the next good text is taken', async wrong => {
      const namespace = `refused-${refused.indexOf(wrong)}`
      const { store } = rig.servers[0]
      const all = await begin(namespace)
      await rig.put(namespace, wrong.content(store.maxDtabBytes))
      await untilTrue('a refusal on all', () => all.every(onlooker => onlooker.refused !== undefined))
      for (const { head, refused: refusal } of all) {
        expect(head).toMatchObject({ version: 1, text: good })
        expect(refusal?.reason).toMatch(wrong.reason)
        if (wrong.place !== undefined) expect(refusal?.position).toMatchObject(wrong.place)
      }
      expect(await store.head(namespace)).toMatchObject({ version: 1, text: good })
      await rig.put(namespace, '/next => /good')
      await untilTrue('version 2 on all', () => all.every(({ head }) => head?.version === 2))
      await untilTrue('no refusal', () => all.every(onlooker => onlooker.refused === undefined))
      expect(await authors(namespace)).toEqual(['2 external', '1 ann'])
    })

    it('a write takes the place of what was refused', async () => {
      const all = await begin('written-over')
      await rig.put('written-over', 'garbage')
      await untilTrue('a refusal on all', () => all.every(onlooker => onlooker.refused !== undefined))
      const { written } = await rig.servers[1].store.write(request('written-over', '/a=>/b'))
      expect(written.version).toBe(2)
      await untilTrue('version 2 on all', () => all.every(({ head, refused: r }) => head?.version === 2 && !r))
    })

    it('an edit in the middle of other writes is not missed', async () => {
      const all = await begin('quiet')
      const write = async (n: number): Promise<void> => {
        for (let i = 0; i < 40; i++) await rig.servers[n]?.store.write(request(`busy-${n}`, `/a=>/b${i}`))
      }
      const writers = [0, 1, 2].map(write)
      await rig.put('quiet', '/by => /hand')
      await Promise.all(writers)
      await untilTrue('version 2 on all', () => all.every(({ head }) => head?.version === 2))
      expect(await authors('quiet')).toEqual(['2 external', '1 ann'])
    })

    it('a head record that somebody deletes costs nobody the dtab', async () => {
      const all = await begin('recordless')
      const texts: unknown[] = []
      rig.servers[1].store.observe('recordless').watch(state => {
        texts.push(state.kind === 'ok' ? state.value?.text : state.kind)
      })
      await rig.removeRecord('recordless')
      await untilTrue('version 2 on all', () => all.every(({ head }) => head?.version === 2))
      expect(new Set(texts)).toEqual(new Set([good]))
      expect(await authors('recordless')).toEqual(['2 external', '1 ann'])
    })
  })
}
