// Consul's keys in memory, and an agent whose blocking queries tell of them when the test says so.
import type { ConsulAgent, ConsulAnswer, ConsulFollower, ConsulQuery } from '../../../clients/consul/agent.ts'
import type { ConsulKv, KvEntry, KvExpectation } from '../../../clients/consul/kv.ts'

interface Follow {
  readonly query: ConsulQuery
  readonly follower: ConsulFollower
}

export class FollowedKeys {
  /** The index of the last change. */
  index = 10
  readonly #entries = new Map<string, KvEntry>()
  readonly follows: Follow[] = []
  /** Comparisons that were asked for. */
  compared = 0
  /** What a comparison waits for before it looks. */
  beforeCompare: () => Promise<void> = async () => {}
  failure: Error | undefined

  /** As one transaction: all get one index. */
  set(values: Readonly<Record<string, string | undefined>>): void {
    this.index++
    for (const [key, text] of Object.entries(values)) {
      if (text === undefined) this.#entries.delete(key)
      else this.#entries.set(key, { key, value: Buffer.from(text), flags: 0, modifyIndex: this.index })
    }
  }

  /** Goes back to what was there when the function was got. */
  snapshot(): () => void {
    const kept = [...this.#entries]
    const { index } = this
    return () => {
      this.#entries.clear()
      for (const [key, entry] of kept) this.#entries.set(key, entry)
      this.index = index
    }
  }

  /** Answers the query over this folder. */
  tell(folder: string): void {
    for (const { query, follower } of this.follows)
      if (query.path === `/kv/${folder.split('/').map(encodeURIComponent).join('/')}`)
        void follower.changed(this.#answer(folder, query))
  }

  fail(folder: string): void {
    for (const { query, follower } of this.follows)
      if (query.path.endsWith(folder)) follower.failed(new Error('no connection'), 0)
  }

  readonly agent: Pick<ConsulAgent, 'follow'> = {
    follow: (query, follower) => {
      const follow = { query, follower }
      this.follows.push(follow)
      return () => void this.follows.splice(this.follows.indexOf(follow), 1)
    },
  }

  readonly kv: Pick<ConsulKv, 'read' | 'compare' | 'lastIndex'> = {
    read: async keys => {
      if (this.failure !== undefined) throw this.failure
      return keys.map(key => this.#entries.get(key))
    },
    compare: async expected => {
      this.compared++
      await this.beforeCompare()
      return new Set(expected.flatMap((one, place) => (this.#isAsExpected(one) ? [] : place)))
    },
    lastIndex: async () => this.index,
  }

  #isAsExpected({ key, index }: KvExpectation): boolean {
    return this.#entries.get(key)?.modifyIndex === index
  }

  #answer(folder: string, { parameters }: ConsulQuery): ConsulAnswer {
    const entries = [...this.#entries.values()].filter(({ key }) => key.startsWith(folder))
    const newest = Math.max(0, ...entries.map(({ modifyIndex }) => modifyIndex))
    const body =
      'keys' in parameters
        ? entries.map(({ key }) => key)
        : entries.map(({ key, value, flags, modifyIndex }) => ({
            Key: key,
            Value: Buffer.from(value).toString('base64'),
            Flags: flags,
            ModifyIndex: modifyIndex,
          }))
    const version = String(newest === 0 ? this.index : newest)
    return { body, version, isFiltered: false, receivedAt: 0 }
  }
}
