// S5: the token is rotated, the API server restarted and etcd compacted during 10,000 reads and observes: nothing is left over.
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Store } from '../../../storage/store.ts'
import { request } from '../../contract/store.contract.ts'
import { RealKubernetes } from '../kubernetes.fixture.ts'
import { adminToken, namerUser } from '../kubernetes-pki.fixture.ts'
import { freshPlace, startStore } from '../storage/configmap-store.fixture.ts'
import { untilTrue } from '../storage/store.fixture.ts'

let kubernetes: RealKubernetes

beforeAll(async () => {
  kubernetes = await RealKubernetes.start()
})

afterAll(() => kubernetes[Symbol.asyncDispose]())

const namespaces = Array.from({ length: 20 }, (_, n) => `web-${n}`)
const total = 10_000

/** The API server knows this token of the store's user from its next start on, and no older one. */
async function rotate(tokenFile: string, token: string): Promise<void> {
  await writeFile(kubernetes.pki.tokens, `${adminToken},admin,1,"system:masters"\n${token},${namerUser},2\n`)
  const next = join(kubernetes.folder, 'next-token')
  await writeFile(next, token)
  await rename(next, tokenFile)
}

/** Half of them reads, half of them short observations; what fails meanwhile has a reason and is no leftover. */
async function ask(store: Store, done: () => void): Promise<void> {
  for (let n = 0; n < total / 20; n++) {
    const namespace = namespaces[n % namespaces.length] ?? ''
    if (n % 2 === 0) await store.head(namespace).catch(() => undefined)
    else {
      const stop = store.observe(namespace).watch(() => {})
      await store.version(namespace, 1).catch(() => undefined)
      stop()
    }
    done()
  }
}

it('S5: keeps two watches through 10,000 reads and observes, whatever becomes of token, server and history', async () => {
  const place = await freshPlace(kubernetes)
  const tokenFile = join(kubernetes.folder, 'token')
  await writeFile(tokenFile, 'namer-token')
  await using open = startStore(await kubernetes.tokenFileKubeconfig(tokenFile), place)
  const { store, env } = open
  for (const namespace of namespaces) await store.write(request(namespace, `/svc => /${namespace}`))
  const presence = store.presence().watch(() => {})
  const seen = new Map<string, number>()
  const watched = namespaces.map(namespace =>
    store.observe(namespace).watch(state => {
      if (state.kind === 'ok' && state.value !== undefined) seen.set(namespace, state.value.version)
    }),
  )
  await untilTrue('all', () => seen.size === namespaces.length)
  const watches = async (): Promise<number> => {
    const line = /^storage_k8s_watches_open (\d+)/m.exec((await env.metrics.expose()).body)?.[1]
    return Number(line)
  }
  const base = await watches()
  expect(base).toBe(2)

  let count = 0
  const asking = Promise.all(Array.from({ length: 20 }, () => ask(store, () => count++)))
  await untilTrue('a part', () => count > total / 20)
  await rotate(tokenFile, 'rotated-token')
  await kubernetes.forgetHistory()
  await asking
  expect(count).toBe(total)
  expect(await watches()).toBe(base)

  for (const namespace of namespaces) await store.write(request(namespace, `/svc => /${namespace}/2`))
  await untilTrue('all again', () => namespaces.every(namespace => seen.get(namespace) === 2))
  expect(await watches()).toBe(base)
  for (const stop of [...watched, presence]) stop()
})
