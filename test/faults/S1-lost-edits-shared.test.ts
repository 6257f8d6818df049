// S1: many writers read, change and write one dtab through three servers, while answers are lost and the backend goes away.
// Every acknowledged edit is in the end there, once.
import { expect, it } from 'vitest'
import { NamingError } from '../../naming/errors.ts'
import type { Store, Version } from '../../storage/store.ts'
import { request } from '../contract/store.contract.ts'
import type { CommitFault } from '../fakes/shared-backend.fake.ts'
import { openSharedRig, type SharedRig } from '../storage/shared/shared-store.fixture.ts'

const writers = 10
const editsEach = 20

const counts = (text: string | undefined): number[] => (text ?? '').split(' ').map(Number)

/** One more in the writer's own place. */
function edited(text: string | undefined, writer: number): string {
  return counts(text)
    .map((count, place) => (place === writer ? count + 1 : count))
    .join(' ')
}

/** Repeats what has one answer with its key until it has it: a version, or undefined for one that others were faster than. */
async function settled(rig: SharedRig, attempt: () => Promise<Version>): Promise<Version | undefined> {
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      const { code, retryable } = NamingError.from(error)
      if (code === 'dtab-version-mismatch') return undefined
      if (!retryable) throw error
      await new Promise<void>(resolve => void rig.clock.after(100, resolve))
    }
  }
}

async function head(rig: SharedRig, store: Store): Promise<Version> {
  const found = await settled(rig, async () => {
    const version = await store.head('race')
    if (version === undefined) throw new Error('the dtab is gone')
    return version
  })
  if (found === undefined) throw new Error('a read was refused as a write')
  return found
}

async function runWriter(rig: SharedRig, writer: number): Promise<number[]> {
  const acknowledged: number[] = []
  for (let tries = 0; acknowledged.length < editsEach; tries++) {
    const { store } = rig.servers[(writer + tries) % rig.servers.length] ?? rig
    const base = await head(rig, store)
    const write = request('race', edited(base.text, writer), {
      expect: { kind: 'version', versions: [base.version] },
      idempotency: { key: `${writer}-${tries}`, fingerprint: 'print' },
    })
    const written = await settled(rig, async () => (await store.write(write)).written)
    if (written !== undefined) acknowledged.push(written.version)
  }
  return acknowledged
}

/** Three commits in ten go wrong in one way or another, always the same ones. */
function* misfortune(): Generator<CommitFault | undefined> {
  const faults: readonly CommitFault[] = ['lost', 'dropped', 'cut-off']
  for (let n = 1; ; n = (n * 48_271) % 2_147_483_647) yield n % 10 < 3 ? faults[n % 3] : undefined
}

it('S1: every acknowledged edit of ten writers on three servers is there once, whatever became of the answers', async () => {
  const rig = openSharedRig({ servers: 3 })
  await rig.store.write(request('race', Array.from({ length: writers }, () => 0).join(' ')))
  const luck = misfortune()
  rig.backend.misfortune = () => luck.next().value
  let isDone = false
  const race = Promise.all(Array.from({ length: writers }, (_, writer) => runWriter(rig, writer))).finally(() => {
    isDone = true
  })
  race.catch(() => {})
  for (let turn = 1; !isDone; turn++) {
    if (turn % 40 === 20) rig.backend.down()
    if (turn % 40 === 28) rig.backend.up()
    await rig.pass(250)
  }
  const acknowledged = (await race).flat()
  rig.backend.up()
  rig.backend.misfortune = () => undefined
  expect(new Set(acknowledged).size).toBe(writers * editsEach)
  const history = await rig.store.history('race', { limit: 10_000 })
  expect(history).toHaveLength(1 + writers * editsEach)
  expect(new Set(history.map(({ version }) => version))).toEqual(new Set([1, ...acknowledged]))
  expect(counts((await rig.store.head('race'))?.text)).toEqual(Array.from({ length: writers }, () => editsEach))
  await rig.close()
})
