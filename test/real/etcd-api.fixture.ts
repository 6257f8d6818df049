// Plain HTTP to an etcd server, through its JSON gateway: what a person does with etcdctl, apart from the client under test.

/** Every call rejects on a status that is not 2xx, and on no answer within its time. */
export class EtcdApi {
  readonly #url: string

  constructor(port: number) {
    this.#url = `http://127.0.0.1:${port}`
  }

  /** As `etcdctl put`; gives the revision. */
  async put(key: string, value: string | Uint8Array): Promise<number> {
    return revisionOf(await this.post('/v3/kv/put', { key: base64(key), value: base64(value) }))
  }

  /** As `etcdctl get`; undefined when there is no such key. */
  async get(key: string): Promise<Buffer | undefined> {
    const { kvs } = await this.post('/v3/kv/range', { key: base64(key) })
    const first: unknown = Array.isArray(kvs) ? kvs[0] : undefined
    if (typeof first !== 'object' || first === null) return undefined
    return Buffer.from('value' in first ? String(first.value) : '', 'base64')
  }

  /** As `etcdctl get --prefix --keys-only`. */
  async keys(prefix: string): Promise<readonly string[]> {
    const body = { key: base64(prefix), range_end: base64(endOfPrefix(prefix)), keys_only: true }
    const { kvs = [] } = await this.post('/v3/kv/range', body)
    return (kvs as readonly { key: string }[]).map(({ key }) => Buffer.from(key, 'base64').toString()) // the gateway's form
  }

  /** As `etcdctl del`. */
  async delete(key: string): Promise<number> {
    return revisionOf(await this.post('/v3/kv/deleterange', { key: base64(key) }))
  }

  /** As `etcdctl del --prefix`. */
  async deletePrefix(prefix: string): Promise<number> {
    return revisionOf(
      await this.post('/v3/kv/deleterange', { key: base64(prefix), range_end: base64(endOfPrefix(prefix)) }),
    )
  }

  /** As `etcdctl compact`. */
  async compact(revision: number): Promise<void> {
    await this.post('/v3/kv/compaction', { revision: String(revision), physical: true })
  }

  /** The id of the leader, and of this server; the same when it leads. */
  async status(): Promise<{ readonly leader: string; readonly member: string; readonly revision: number }> {
    const answer = await this.post('/v3/maintenance/status', {})
    const { member_id: member } = answer.header as { member_id: string } // the gateway's form
    return { leader: String(answer.leader ?? '0'), member, revision: revisionOf(answer) }
  }

  /** Whether it serves, its leader known; false while nobody listens. */
  async isHealthy(): Promise<boolean> {
    const answer = await fetch(`${this.#url}/health`, { signal: AbortSignal.timeout(1000) }).catch(() => undefined)
    return answer !== undefined && (await answer.text()).includes('"true"')
  }

  /** The watches that it holds open, by its own count. */
  async watchers(): Promise<number> {
    const text = await (await fetch(`${this.#url}/metrics`)).text()
    return Number(/^etcd_debugging_mvcc_watcher_total (\d+)/m.exec(text)?.[1])
  }

  async post(path: string, body: object): Promise<Readonly<Record<string, unknown>>> {
    const answer = await fetch(`${this.#url}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(10_000),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`etcd: ${path}: ${answer.status} ${text}`)
    return JSON.parse(text) as Readonly<Record<string, unknown>> // the gateway answers objects
  }
}

function revisionOf(answer: Readonly<Record<string, unknown>>): number {
  const { revision } = answer.header as { revision: string } // the gateway's form
  return Number(revision)
}

function base64(value: string | Uint8Array): string {
  return Buffer.from(value).toString('base64')
}

function endOfPrefix(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)
}
