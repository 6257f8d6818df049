// Servers of a store whose streams are in a test's hand: no socket, and no time but the clock's.
import type { DialPeer, DtabVersion, PeerListener } from '../../api/servers.ts'
import type { Env } from '../../runtime/env.ts'
import { formatRecord } from '../../server/servers/server-record.ts'
import { SharedServers } from '../../server/servers/shared-servers.ts'
import type { Presence, Store } from '../../storage/store.ts'

/** Streams to other servers, each under its address; a peer says nothing by itself. */
export class FakeNetwork {
  /** How often each address was dialled. */
  readonly dials = new Map<string, number>()
  readonly #open = new Map<string, PeerListener>()

  readonly dial: DialPeer = (address, listener) => {
    this.dials.set(address, (this.dials.get(address) ?? 0) + 1)
    this.#open.set(address, listener)
    return () => {
      if (this.#open.get(address) === listener) this.#open.delete(address)
    }
  }

  /** Addresses with a stream. */
  get open(): readonly string[] {
    return [...this.#open.keys()].sort()
  }

  /** The first words of the peer `id` at `id:1`, with all it goes by. */
  greet(id: string, dtabs: Readonly<Record<string, number>> = {}): void {
    this.#open.get(`${id}:1`)?.heard({ id, isWhole: true, dtabs: versionsOf(dtabs) })
  }

  /** The first words of somebody at the address of `at`, who does not know its store yet. */
  begin(at: string, id: string): void {
    this.#open.get(`${at}:1`)?.heard({ id, isWhole: false, dtabs: [] })
  }

  /** A later message; a sign of life when it holds nothing. */
  say(id: string, dtabs: Readonly<Record<string, number>> = {}): void {
    this.#open.get(`${id}:1`)?.heard({ isWhole: false, dtabs: versionsOf(dtabs) })
  }

  /** The stream ends from over there. */
  lose(id: string, reason: string): void {
    const listener = this.#open.get(`${id}:1`)
    this.#open.delete(`${id}:1`)
    listener?.lost(reason)
  }
}

function versionsOf(dtabs: Readonly<Record<string, number>>): readonly DtabVersion[] {
  return Object.entries(dtabs).map(([namespace, version]) => ({ namespace, version }))
}

/** Makes the server `id` present in the store, at the address `id:1`. */
export function appear(store: Store, id: string, startedAt = 1): Promise<Presence> {
  return store.announce(id, formatRecord({ id, address: `${id}:1`, version: '1.0.0', startedAt }), 10_000)
}

/**
 * The servers as the one called `self` knows them. Nothing is opened before `start`, nobody followed before `follow`.
 * Versions that rules go by are passed on through `own.takeInUse`.
 */
export function loneServer(
  env: Env,
  store: Pick<Store, 'presence' | 'list' | 'noticed'>,
  network = new FakeNetwork(),
): SharedServers {
  const self = { id: 'self', version: '1.0.0', startedAt: env.clock.now() }
  return new SharedServers({ ...env, store, dial: network.dial, self })
}
