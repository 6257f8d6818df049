import fc from 'fast-check'
import protobuf from 'protobufjs'
import minimal from 'protobufjs/minimal.js'
import { describe, expect, test } from 'vitest'
import type { BoundTree } from '../../naming/bound-tree.ts'
import { contentHash } from '../../naming/content-hash.ts'
import { NamingError } from '../../naming/errors.ts'
import { alt, empty, fail, leaf, neg, union } from '../../naming/name-tree.ts'
import type { Path } from '../../naming/path.ts'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import { namingProtoFile } from '../../proto/naming-service.ts'
import { maxTreeDepth } from '../../proto/naming-values.ts'
import { encodeIdField, encodeReplicaContent, encodeStale, encodeTreeContent, hashOf } from '../../proto/updates.ts'
import {
  decodeResolveRequest,
  encodeResolveRequest,
  type RequestPart,
  WatchRequestReader,
  WatchRequestWriter,
} from '../../proto/watch-requests.ts'
import { decodeWatchResponse } from '../../proto/watch-responses.ts'
import { ok, type State } from '../../watch/state.ts'

const schema = protobuf.loadSync(namingProtoFile)
const seed = { seed: 20_260_101, numRuns: 200 }

const label = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map(byte => String.fromCharCode(byte)), minLength: 1 })
const anyPath: fc.Arbitrary<Path> = fc.array(label, { maxLength: 4 })
const weight = fc.double({ min: 0, noNaN: true })
const { tree: anyTree } = fc.letrec<{ tree: BoundTree }>(tie => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<BoundTree>(neg, fail, empty),
    fc.record({ id: anyPath, residual: anyPath }).map(value => leaf(value)),
    fc.array(tie('tree'), { maxLength: 3 }).map(trees => alt(trees)),
    fc.array(fc.record({ weight, tree: tie('tree') }), { maxLength: 3 }).map(branches => union(branches)),
  ),
}))
const metadata = fc.dictionary(
  fc.string().filter(name => name !== '__proto__'),
  fc.oneof(fc.string(), fc.double({ noNaN: true }), fc.boolean()),
  { minKeys: 1, maxKeys: 3, noNullPrototype: true },
)
const endpoint = fc.record(
  { address: fc.ipV4(), port: fc.nat(65_535), weight: fc.double({ min: 0.01, noNaN: true }), metadata },
  { requiredKeys: ['address', 'port', 'weight'], noNullPrototype: true },
)
const anyReplicas: fc.Arbitrary<ReplicaSet> = fc.oneof(
  fc.constant<ReplicaSet>({ kind: 'neg' }),
  fc.record(
    { kind: fc.constant('bound' as const), endpoints: fc.array(endpoint, { maxLength: 5 }), metadata },
    { requiredKeys: ['kind', 'endpoints'], noNullPrototype: true },
  ),
)

/** A WatchResponse of one update made of the fields given. */
function response(...fields: readonly Uint8Array[]): Uint8Array {
  return minimal.Writer.create().uint32(10).bytes(Buffer.concat(fields)).finish()
}

const keySeven = Uint8Array.of(8, 7)
const decodeTree = (content: Uint8Array) => decodeWatchResponse(response(keySeven, content)).updates[0]

describe('updates', () => {
  test('carry any tree unchanged', () => {
    fc.assert(
      fc.property(anyTree, value => {
        expect(decodeTree(encodeTreeContent(ok(value)))?.state).toEqual(ok(value))
      }),
      seed,
    )
  })

  test('carry any replica set unchanged, and its id', () => {
    fc.assert(
      fc.property(anyPath, anyReplicas, (id, value) => {
        const [update] = decodeWatchResponse(response(encodeIdField(id), encodeReplicaContent(ok(value)))).updates
        expect(update).toMatchObject({ kind: 'replicas', id, state: ok(value) })
      }),
      seed,
    )
  })

  test('are what naming.proto says', () => {
    const WatchResponse = schema.lookupType('nameplane.v1.WatchResponse')
    fc.assert(
      fc.property(anyTree, anyReplicas, (tree, replicas) => {
        for (const content of [encodeTreeContent(ok(tree)), encodeReplicaContent(ok(replicas))]) {
          const stale = encodeStale({ since: 1_700_000_000_000, reason: new Error('away') })
          const bytes = response(keySeven, content, stale)
          const read = WatchResponse.decode(bytes)
          expect(decodeWatchResponse(WatchResponse.encode(read).finish())).toEqual(decodeWatchResponse(bytes))
          expect(WatchResponse.toObject(read, { longs: Number })).toMatchObject({
            updates: [{ key: 7, stale: { since: 1_700_000_000_000, reason: 'away' } }],
          })
        }
      }),
      seed,
    )
  })

  test('have a hash that depends on the content alone, metadata in any order', () => {
    const set = (entries: [string, string][]): State<ReplicaSet> =>
      ok({ kind: 'bound', endpoints: [], metadata: Object.fromEntries(entries) })
    const one = encodeReplicaContent(set([['a', '1'], ['b', '2']])) // biome-ignore format: two orders of one thing
    const other = encodeReplicaContent(set([['b', '2'], ['a', '1']])) // biome-ignore format: two orders of one thing
    expect(hashOf(one)).toBe(hashOf(other))
    expect(Buffer.from(hashOf(one), 'latin1').toString('hex')).toBe(contentHash(one.subarray(10)))
    expect(hashOf(one)).not.toBe(hashOf(encodeReplicaContent(set([['a', '1']]))))
  })

  test('say which failure it is, and whether it may pass', () => {
    const failing = (error: Error) => decodeTree(encodeTreeContent({ kind: 'failed', error }))?.state
    expect(failing(new NamingError('name-too-deep', 'deep'))).toMatchObject({ error: { code: 'name-too-deep' } })
    expect(failing(new Error('a secret'))).toMatchObject({ error: { code: 'internal' } })
    expect(JSON.stringify(failing(new Error('a secret')))).not.toContain('secret')
    const Failure = schema.lookupType('nameplane.v1.Failure')
    const unknown = Failure.encode({ code: 'from-the-future', message: 'later', retryable: true }).finish()
    const field = minimal.Writer.create().uint32(58).bytes(unknown).finish()
    expect(decodeTree(field)?.state).toMatchObject({ error: { code: 'unavailable', message: 'later' } })
  })

  test('send a tree that is too deep as the failure to send it, and refuse to read one', () => {
    const nest = (levels: number): BoundTree => (levels === 0 ? neg : alt([nest(levels - 1)]))
    expect(decodeTree(encodeTreeContent(ok(nest(maxTreeDepth))))?.state).toEqual(ok(nest(maxTreeDepth)))
    expect(decodeTree(encodeTreeContent(ok(nest(maxTreeDepth + 1))))?.state).toMatchObject({
      error: { code: 'name-too-deep' },
    })
    const Tree = schema.lookupType('nameplane.v1.BoundTree')
    let deep: object = { neg: {} }
    for (let level = 0; level <= maxTreeDepth; level++) deep = { alt: { trees: [deep] } }
    const field = minimal.Writer.create().uint32(34).bytes(Tree.encode(deep).finish()).finish()
    expect(decodeTree(field)?.state).toMatchObject({ kind: 'unusable', reason: expect.stringContaining('levels') })
  })

  test('of a kind that is not known are unusable by themselves, and harm nothing beside them', () => {
    const fromTheFuture = minimal.Writer.create().uint32(34).bytes(Uint8Array.of(0x7a, 0)).finish()
    const known = response(keySeven, encodeTreeContent(ok(neg)))
    const { updates } = decodeWatchResponse(Buffer.concat([response(keySeven, fromTheFuture), known]))
    expect(updates.map(({ state }) => state.kind)).toEqual(['unusable', 'ok'])
  })

  test('that are cut or garbled are a RangeError, whatever the bytes', () => {
    const whole = response(keySeven, encodeTreeContent(ok(leaf({ id: ['#', 'fs', 'web'], residual: ['x'] }))))
    for (let length = 1; length < whole.length; length++)
      expect(() => decodeWatchResponse(whole.subarray(0, length))).toThrow(RangeError)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), bytes => {
        try {
          decodeWatchResponse(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError)
        }
      }),
      { ...seed, numRuns: 500 },
    )
  })
})

describe('requests', () => {
  const hash = fc.constantFrom('', '\x01\x80\xff45678')
  const name = fc.record({ namespace: fc.string(), path: anyPath, dtab: fc.string() }, { noNullPrototype: true })
  const count = fc.oneof(fc.nat(300), fc.maxSafeNat())
  const resource = fc.oneof(fc.nat(), anyPath)
  const part: fc.Arbitrary<RequestPart> = fc.oneof(
    fc.record({ kind: fc.constant('client' as const), id: fc.string(), version: fc.string() }),
    fc.record({ kind: fc.constant('unsubscribe' as const), keys: fc.array(fc.nat(), { minLength: 1 }) }),
    fc.record({ kind: fc.constant('unsubscribe-replicas' as const), id: anyPath }),
    fc.record({ kind: fc.constant('subscribe-replicas' as const), id: anyPath, hash }),
    fc.record({ kind: fc.constant('subscribe' as const), key: fc.nat(), name, hash }),
    fc.record({ kind: fc.constant('ack' as const), received: count, applied: count, digest: count }),
    fc.record({ kind: fc.constant('held' as const), resource, hash, isStale: fc.boolean() }),
    fc.record({ kind: fc.constant('held-is-whole' as const) }),
    fc.record({ kind: fc.constant('refused' as const), resource, hash, reason: fc.string() }),
  )

  function partsOf(bytes: Uint8Array): RequestPart[] {
    const reader = new WatchRequestReader(bytes)
    const parts: RequestPart[] = []
    for (let next = reader.next(); next !== undefined; next = reader.next()) parts.push(next)
    return parts
  }

  /** Keys that are given up come in parts of a few. */
  function keyByKey(each: RequestPart): RequestPart[] {
    return each.kind === 'unsubscribe' ? each.keys.map(key => ({ kind: 'unsubscribe', keys: [key] })) : [each]
  }

  test('are read part by part as they were written, and are what naming.proto says', () => {
    const WatchRequest = schema.lookupType('nameplane.v1.WatchRequest')
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), parts => {
        const writer = new WatchRequestWriter()
        for (const each of parts) writer.add(each)
        const bytes = writer.finish()
        expect(partsOf(bytes).flatMap(keyByKey)).toEqual(parts.flatMap(keyByKey))
        expect(new WatchRequestReader(bytes).readSequence()).toBe(0)
        const again = partsOf(WatchRequest.encode(WatchRequest.decode(bytes)).finish())
        const subscriptions = (all: readonly RequestPart[]) => all.filter(({ kind }) => kind === 'subscribe')
        expect(subscriptions(again)).toEqual(subscriptions(parts))
      }),
      seed,
    )
  })

  test('give up few names in each part, however many they say', () => {
    const writer = new WatchRequestWriter()
    writer.add({ kind: 'unsubscribe', keys: Array.from({ length: 1_000 }, (_, key) => key) })
    const parts = partsOf(writer.finish())
    expect(parts.length).toBeGreaterThanOrEqual(250)
    expect(parts.flatMap(keyByKey).at(-1)).toEqual({ kind: 'unsubscribe', keys: [999] })
  })

  test('are garbled when a key is longer than all of them, or when they are full of what nobody knows', () => {
    const unknown = Buffer.alloc(100_000, Uint8Array.of(0x60, 1))
    for (const bytes of [Uint8Array.of(0x12, 1, 0x80, 1), unknown]) expect(() => partsOf(bytes)).toThrow(RangeError)
    expect(partsOf(unknown.subarray(0, 2_000))).toEqual([])
  })

  test('have their number before all parts, and are read with it in any place', () => {
    const ack = { kind: 'ack', received: 7, applied: 6, digest: 2 ** 53 - 1, delayMs: 300 } as const
    const writer = new WatchRequestWriter()
    writer.add(ack)
    const bytes = writer.finish(2 ** 40)
    expect(bytes[0]).toBe(0x30)
    const WatchRequest = schema.lookupType('nameplane.v1.WatchRequest')
    expect(WatchRequest.toObject(WatchRequest.decode(bytes), { longs: Number })).toEqual({
      sequence: 2 ** 40,
      ack: { received: 7, applied: 6, digest: 2 ** 53 - 1, delayMs: 300 },
    })
    const last = Buffer.concat([bytes.subarray(7), bytes.subarray(0, 7)])
    for (const each of [bytes, last]) {
      expect(new WatchRequestReader(each).readSequence()).toBe(2 ** 40)
      expect(partsOf(each)).toEqual([ack])
    }
  })

  test('to resolve are read as they were written', () => {
    fc.assert(
      fc.property(name, fc.nat(), (wireName, waitMs) => {
        expect(decodeResolveRequest(encodeResolveRequest({ name: wireName, waitMs }))).toEqual({
          name: wireName,
          waitMs,
        })
      }),
      seed,
    )
  })

  test('that are garbled are a RangeError, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), bytes => {
        try {
          new WatchRequestReader(bytes).readSequence()
          partsOf(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError)
        }
      }),
      { ...seed, numRuns: 500 },
    )
  })
})
