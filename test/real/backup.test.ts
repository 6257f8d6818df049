// A backup of a server's store while clients write fifty times a second, and a server that is started on it.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { nameplane } from '../e2e/process.fixture.ts'
import { ServerFleet } from './storage/server-fleet.fixture.ts'

const writers = 5
const pauseMs = 100
const writtenBefore = 30

const headAnswer = z.object({ version: z.number() })

const textOf = (namespace: string, version: number): string => `/${namespace} => /count/${version} ;\n`

it('a server that is started on a backup has every version that was answered before it, and whole histories', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nameplane-backup-'))
  const path = join(folder, 'store.db')
  const file = join(folder, 'copy.db')
  const answered = new Map<string, number>()
  const isOver = new AbortController()
  {
    await using fleet = await ServerFleet.start(1, () => ({ kind: 'sqlite', path }))
    const url = `${fleet.urls[0]}/api/dtabs`
    const write = async (namespace: string): Promise<void> => {
      for (let version = 1; !isOver.signal.aborted; version++) {
        const headers = { 'content-type': 'application/dtab' }
        const answer = await fetch(`${url}/${namespace}`, { method: 'PUT', headers, body: textOf(namespace, version) })
        if (!answer.ok) throw new Error(`a write was answered ${answer.status} ${await answer.text()}`)
        answered.set(namespace, version)
        await delay(pauseMs)
      }
    }
    const writing = Promise.all(Array.from({ length: writers }, (_, n) => write(`ns-${n}`)))
    while ([...answered.values()].reduce((sum, count) => sum + count, 0) < writtenBefore) await delay(pauseMs)
    const before = new Map(answered)
    const { code, stderr } = await nameplane(['backup', file, '--database', path]).finished
    expect([code, stderr]).toEqual([0, expect.stringMatching(/copy\.db: 5 namespaces, \d+ versions, .+ checked\n$/)])
    isOver.abort()
    await writing
    await using restored = await ServerFleet.start(1, () => ({ kind: 'sqlite', path: file }))
    for (const [namespace, least] of before) {
      const head = headAnswer.parse(await (await fetch(`${restored.urls[0]}/api/dtabs/${namespace}`)).json())
      expect(head.version).toBeGreaterThanOrEqual(least)
      expect(head.version).toBeLessThanOrEqual(answered.get(namespace) ?? 0)
      for (let version = 1; version <= head.version; version++) {
        const old = await fetch(`${restored.urls[0]}/api/dtabs/${namespace}?version=${version}`, {
          headers: { accept: 'application/dtab' },
        })
        expect(await old.text()).toBe(textOf(namespace, version))
      }
    }
  }
  await rm(folder, { recursive: true })
})
