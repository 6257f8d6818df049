// Whatever happens between three servers, their backend and people with other tools: once all is well again, every server
// shows what stands in the backend, nothing acknowledged is lost, and no version number was used twice.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { externalAuthor } from '../../../storage/shared/outside-edits.ts'
import { createSharedStore } from '../../../storage/shared/shared-store.ts'
import type { Expectation, Store, Version } from '../../../storage/store.ts'
import type { State } from '../../../watch/state.ts'
import { request } from '../../contract/store.contract.ts'
import type { CommitFault, Connection, FakeSharedBackend } from '../../fakes/shared-backend.fake.ts'
import { testEnv } from '../store.fixture.ts'
import { openSharedRig, type SharedRig } from './shared-store.fixture.ts'

const names = ['a', 'b', 'c'] as const
const servers = 3
const runs = 40

interface Acknowledged {
  readonly namespace: string
  readonly version: number
  readonly text: string | undefined
}

/** What the test knows of one run. */
class Run {
  readonly rig: SharedRig
  readonly connections: readonly Connection[]
  readonly #pending = new Set<Promise<void>>()
  #acknowledged: Acknowledged[] = []
  /** Grows with each rewind. */
  #epoch = 0
  #copy:
    | { readonly ground: ReturnType<FakeSharedBackend['copy']>; readonly revision: number; readonly known: number }
    | undefined
  #texts = 0
  readonly #keys = new Map<string, Acknowledged>()
  readonly #seen = new Map<string, number>()
  readonly faults: string[] = []
  readonly #isForgotten = new Set<string>()

  constructor() {
    this.rig = openSharedRig({ servers })
    this.connections = [...this.rig.backend.connections]
    this.rig.servers.forEach(({ store }, i) => {
      store.list().watch(() => {})
      store.refusals().watch(() => {})
      for (const name of names) store.observe(name).watch(state => this.#delivered(`${i} ${name}`, state))
    })
  }

  text(): string {
    return `/a=>/t${this.#texts++}`
  }

  write(server: number, namespace: string, text: string | undefined, expect: Expectation, key?: string): void {
    const epoch = this.#epoch
    const fingerprint = text ?? 'none'
    const more = key === undefined ? {} : { idempotency: { key: `${key} ${fingerprint}`, fingerprint } }
    const wall = this.store(server)
      .write(request(namespace, text, { expect, author: `s${server}`, ...more }))
      .then(
        ({ written }) => {
          if (epoch !== this.#epoch) return
          const acknowledged = { namespace, version: written.version, text: written.text }
          this.#acknowledged.push(acknowledged)
          if (key === undefined) return
          const id = `${namespace} ${key} ${fingerprint}`
          const before = this.#keys.get(id)
          if (before !== undefined && before.version !== written.version)
            this.faults.push(`${id} made ${before.version} and ${written.version}`)
          this.#keys.set(id, acknowledged)
        },
        () => {},
      )
    this.#follow(wall)
  }

  forget(server: number, namespace: string, version: number): void {
    this.#isForgotten.add(`${namespace} ${version}`)
    this.#follow(
      this.store(server)
        .forget(namespace, [version])
        .catch(() => {}),
    )
  }

  read(server: number, namespace: string): void {
    this.#follow(
      this.store(server)
        .head(namespace)
        .then(
          () => {},
          () => {},
        ),
    )
  }

  store(server: number): Store {
    const found = this.rig.servers[server]?.store
    if (found === undefined) throw new Error(`there is no server ${server}`)
    return found
  }

  copy(): void {
    const { backend } = this.rig
    this.#copy = { ground: backend.copy(), revision: backend.revision, known: this.#acknowledged.length }
  }

  rewind(): void {
    if (this.#copy === undefined) return
    const { ground, revision, known } = this.#copy
    this.#copy = undefined
    this.rig.clock.settle()
    this.#epoch++
    this.#seen.clear()
    this.#acknowledged = this.#acknowledged.slice(0, known)
    this.#keys.clear()
    this.rig.backend.restore(ground, revision)
  }

  async healed(): Promise<void> {
    const { backend } = this.rig
    backend.isWatchHeld = false
    backend.delayMs = 0
    backend.faults.length = 0
    backend.up()
    for (const connection of this.connections) connection.mendWatch(false)
    await this.rig.pass(40_000)
    await Promise.all(this.#pending)
    await this.rig.pass(2_000)
  }

  async check(): Promise<void> {
    const { backend } = this.rig
    const fresh = createSharedStore(backend.connect(), testEnv(this.rig.clock))
    const listed: unknown[] = []
    const refused: string[] = []
    for (const name of names) {
      const place = backend.ground.places.get(name)
      const isOurs = backend.sighting(name).isOurs
      const text = place?.content === undefined ? undefined : Buffer.from(place.content).toString()
      const head = await fresh.head(name)
      if (text?.startsWith('bad')) refused.push(name)
      else expect(head?.text).toBe(text)
      expect(isOurs || text === undefined || text.startsWith('bad')).toBe(true)
      if (head !== undefined) listed.push([name, head.version, head.text === undefined])
      for (let server = 0; server < servers; server++) {
        const state = this.store(server).observe(name).peek()
        expect(state.kind).toBe('ok')
        expect(state.kind === 'ok' && state.stale).toBe(state.kind === 'ok' ? undefined : false)
        expect(state.kind === 'ok' && state.value).toEqual(head)
      }
      await this.#checkPast(name)
    }
    for (let server = 0; server < servers; server++) {
      const list = this.store(server).list().peek()
      const rows = list.kind === 'ok' && list.stale === undefined ? list.value : []
      expect(rows.map(({ namespace, version, deleted }) => [namespace, version, deleted])).toEqual(listed)
      const refusals = this.store(server).refusals().peek()
      expect(refusals.kind === 'ok' && refusals.value.map(({ namespace }) => namespace)).toEqual(refused)
    }
    expect(this.faults).toEqual([])
  }

  async #checkPast(name: string): Promise<void> {
    const external = new Map<string, number>()
    for (const { version, meta } of await this.rig.store.history(name, { limit: 1_000 })) {
      const { text } = (await this.rig.store.version(name, version)) ?? {}
      if (meta.author !== externalAuthor || text === undefined) continue
      expect([text, external.get(text) ?? version]).toEqual([text, version])
      external.set(text, version)
    }
    for (const { namespace, version, text } of this.#acknowledged) {
      if (namespace !== name || this.#isForgotten.has(`${name} ${version}`)) continue
      expect(await this.rig.store.version(name, version)).toMatchObject({
        version,
        ...(text !== undefined && { text }),
      })
    }
  }

  #delivered(id: string, state: State<Version | undefined>): void {
    if (state.kind !== 'ok' || state.stale !== undefined) return
    const version = state.value?.version ?? 0
    const before = this.#seen.get(id) ?? 0
    if (version < before) this.faults.push(`${id} went from ${before} to ${version}`)
    this.#seen.set(id, version)
  }

  #follow(work: Promise<void>): void {
    this.#pending.add(work)
    void work.then(() => this.#pending.delete(work))
  }
}

type Step = (run: Run) => void | Promise<void>

const server = fc.nat(servers - 1)
const namespace = fc.constantFrom(...names)
const step = (weight: number, arbitrary: fc.Arbitrary<Step>) => ({ weight, arbitrary })
const always = (act: Step): fc.Arbitrary<Step> => fc.constant(act)

const steps = fc.array(
  fc.oneof(
    step(
      10,
      fc
        .tuple(
          server,
          namespace,
          fc.constantFrom('put', 'put', 'put', 'delete', 'create', 'exact'),
          fc.nat(6),
          fc.option(fc.nat(2), { nil: undefined }),
        )
        .map(
          ([at, name, what, version, key]): Step =>
            run => {
              const text = what === 'delete' ? undefined : key === undefined ? run.text() : `/a=>/k${key}`
              const expectations: Record<string, Expectation> = {
                create: { kind: 'absent' },
                exact: { kind: 'version', versions: [version] },
              }
              run.write(
                at,
                name,
                text,
                expectations[what] ?? { kind: 'anything' },
                key === undefined ? undefined : `${key}`,
              )
            },
        ),
    ),
    step(
      3,
      fc.tuple(namespace, fc.constantFrom('good', 'bad', 'remove', 'wipe')).map(
        ([name, what]): Step =>
          run => {
            const { backend } = run.rig
            if (what === 'remove') backend.remove(name)
            else if (what === 'wipe') backend.wipe(name)
            else backend.put(name, what === 'good' ? run.text() : `bad ${run.text()}`)
          },
      ),
    ),
    step(
      8,
      fc.constantFrom(0, 0, 1, 20, 300, 1_500, 6_000).map(
        (ms): Step =>
          run =>
            run.rig.pass(ms),
      ),
    ),
    step(
      3,
      fc.constantFrom<CommitFault[]>('lost', 'dropped', 'cut-off', 'full').map(
        (fault): Step =>
          run =>
            void run.rig.backend.faults.push(fault as CommitFault),
      ),
    ),
    step(
      1,
      always(run => run.rig.backend.down()),
    ),
    step(
      2,
      always(run => run.rig.backend.up()),
    ),
    step(
      1,
      fc.boolean().map(
        (isHanging): Step =>
          run =>
            void Object.assign(run.rig.backend, { isHanging }),
      ),
    ),
    step(
      2,
      fc.constantFrom(0, 0, 10, 700).map(
        (ms): Step =>
          run =>
            void Object.assign(run.rig.backend, { delayMs: ms }),
      ),
    ),
    step(
      2,
      fc.boolean().map(
        (isHeld): Step =>
          run =>
            void Object.assign(run.rig.backend, { isWatchHeld: isHeld }),
      ),
    ),
    step(
      2,
      fc.constantFrom('all', 'backwards', 'twice').map(
        (order): Step =>
          run =>
            run.rig.backend.deliver(sightings =>
              order === 'backwards'
                ? [...sightings].reverse()
                : order === 'twice'
                  ? [...sightings, ...sightings]
                  : sightings,
            ),
      ),
    ),
    step(
      2,
      server.map(
        (at): Step =>
          run =>
            run.connections[at]?.breakWatch(),
      ),
    ),
    step(
      2,
      server.map(
        (at): Step =>
          run => {
            if (!run.rig.backend.isDown) run.connections[at]?.mendWatch(false)
          },
      ),
    ),
    step(
      1,
      always(run => run.copy()),
    ),
    step(
      1,
      always(run => run.rewind()),
    ),
    step(
      2,
      fc.tuple(server, namespace, fc.nat(8)).map(
        ([at, name, version]): Step =>
          run =>
            run.store(at).noticed(name, version),
      ),
    ),
    step(
      2,
      fc.tuple(server, namespace).map(
        ([at, name]): Step =>
          run =>
            run.read(at, name),
      ),
    ),
    step(
      1,
      fc.tuple(server, namespace, fc.integer({ min: 1, max: 6 })).map(
        ([at, name, version]): Step =>
          run =>
            run.forget(at, name, version),
      ),
    ),
  ),
  { minLength: 5, maxLength: 60, size: 'max' },
)

it('a shared store heals after anything', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async all => {
      const run = new Run()
      try {
        for (const act of all) await act(run)
        await run.healed()
        await run.check()
      } finally {
        await run.rig.close()
      }
    }),
    { seed: 5, numRuns: runs },
  )
})
