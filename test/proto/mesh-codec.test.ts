import { join } from 'node:path'
import fc from 'fast-check'
import protobuf from 'protobufjs'
import { describe, expect, test } from 'vitest'
import type { BoundTree } from '../../naming/bound-tree.ts'
import type { Dtab } from '../../naming/dtab.ts'
import { NamingError } from '../../naming/errors.ts'
import { alt, empty, fail, leaf, type NameTree, neg, union } from '../../naming/name-tree.ts'
import { parseDtab } from '../../naming/parse.ts'
import type { Path } from '../../naming/path.ts'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import { orThrow } from '../../naming/result.ts'
import type { WireDelegateTree } from '../../proto/mesh-delegate.ts'
import {
  decodeBindReq,
  decodeBoundTreeRsp,
  decodeDelegateTreeReq,
  decodeDelegateTreeRsp,
  decodeDtab,
  decodeDtabRsp,
  decodePathReq,
  decodeText,
  encodeBindReq,
  encodeBoundTreeRsp,
  encodeDelegateTreeReq,
  encodeDelegateTreeRsp,
  encodeDtab,
  encodeDtabRsp,
  encodePath,
  encodeText,
} from '../../proto/mesh-messages.ts'
import { decodeReplicas, encodeReplicas } from '../../proto/mesh-replicas.ts'
import { meshProtoFile, protoFolder } from '../../proto/mesh-services.ts'
import { failed, ok, pending, type State } from '../../watch/state.ts'
import { path } from '../fakes/interpreter.fake.ts'

/** The independent reader and writer: protobufjs over our .proto files. */
const schema = new protobuf.Root()
schema.resolvePath = (_, target) => (target.startsWith('io/') ? join(protoFolder, target) : target)
schema.loadSync((['interpreter', 'resolver', 'delegator', 'codec'] as const).map(meshProtoFile), { keepCase: true })

function typeOf(name: string): protobuf.Type {
  return schema.lookupType(`io.linkerd.mesh.${name}`)
}

/** What protobufjs reads in the bytes, as plain JSON. */
function read(name: string, bytes: Uint8Array): unknown {
  return typeOf(name).toObject(typeOf(name).decode(bytes), { bytes: String, enums: String, json: true })
}

/** The same message written by protobufjs: fields in the order of their numbers, defaults left out. */
function rewritten(name: string, bytes: Uint8Array): Buffer {
  return Buffer.from(typeOf(name).encode(typeOf(name).decode(bytes)).finish())
}

/** What is written in steps. */
function written(steps: Generator<undefined, Buffer>): Buffer {
  let step = steps.next()
  while (step.done !== true) step = steps.next()
  return step.value
}

const seed = { seed: 20_260_101, numRuns: 100 }
const label = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map(byte => String.fromCharCode(byte)), minLength: 1 })
const anyPath: fc.Arbitrary<Path> = fc.array(label, { maxLength: 4 })
const weight = fc.double({ min: 0, noNaN: true })

function treeOver<L>(value: fc.Arbitrary<L>): fc.Arbitrary<NameTree<L>> {
  const { tree } = fc.letrec<{ tree: NameTree<L> }>(tie => ({
    tree: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom<NameTree<L>>(neg, fail, empty),
      value.map(leaf),
      fc.array(tie('tree'), { maxLength: 3 }).map(alt),
      fc.array(fc.record({ weight, tree: tie('tree') }), { maxLength: 3 }).map(union),
    ),
  }))
  return tree
}

const boundTree: fc.Arbitrary<BoundTree> = treeOver(fc.record({ id: anyPath, residual: anyPath }))
const pathTree = treeOver(anyPath)
const dtab: fc.Arbitrary<Dtab> = fc.array(
  fc.record({ prefix: fc.array(fc.oneof(label, fc.constant(null)), { maxLength: 3 }), dst: pathTree }),
  { maxLength: 3 },
)

describe('the messages of io.linkerd.mesh', () => {
  test('come out as they went in, and are what an independent implementation writes', () => {
    const bind = fc.record({ root: anyPath, name: anyPath, dtab })
    const delegate = fc.record({ root: anyPath, tree: pathTree, dtab })
    const versioned = fc.record({ version: label, dtab })
    fc.assert(
      fc.property(boundTree, bind, delegate, versioned, (tree, bindReq, delegateReq, version) => {
        const bound = encodeBoundTreeRsp(tree)
        expect(decodeBoundTreeRsp(bound)).toEqual(tree)
        expect(rewritten('BoundTreeRsp', bound)).toEqual(bound)
        expect(decodeBindReq(encodeBindReq(bindReq))).toEqual(bindReq)
        expect(rewritten('BindReq', encodeBindReq(bindReq))).toEqual(encodeBindReq(bindReq))
        expect(decodeDelegateTreeReq(encodeDelegateTreeReq(delegateReq))).toEqual(delegateReq)
        expect(decodeDtabRsp(written(encodeDtabRsp(version)))).toEqual(version)
        expect(rewritten('DtabRsp', written(encodeDtabRsp(version)))).toEqual(written(encodeDtabRsp(version)))
        expect(decodeDtab(encodeDtab(version.dtab))).toEqual(version.dtab)
      }),
      seed,
    )
  })

  test('are bytes that stay the same', () => {
    const tree = union([
      { weight: 0.25, tree: leaf({ id: path('/#/fs/a'), residual: path('/x') }) },
      { weight: 1, tree: neg },
    ])
    expect(encodeBoundTreeRsp(tree).toString('hex')).toBe(
      // tree { union {
      '0a312a2f' +
        // trees { weight tree { leaf { id { # fs a } residual { x } } } }
        '0a1e09000000000000d03f121332110a0a0a01230a0266730a016112030a0178' +
        // trees { weight tree { neg } } } }
        '0a0d09000000000000f03f12020a00',
    )
    const replicas: ReplicaSet = { kind: 'bound', endpoints: [{ address: '127.0.0.1', port: 8080, weight: 2 }] }
    expect(encodeReplicas(ok(replicas)).toString('hex')).toBe(
      // bound { endpoints { inet_af address port meta
      '222c' +
        '0a2a' +
        '0800' +
        '12047f000001' +
        '18903f' +
        '2200' +
        // metadata { endpoint_addr_weight 2.0 } } }
        '2a1b0a14656e64706f696e745f616464725f7765696768741203322e30',
    )
    expect(encodeDtab([{ prefix: ['a', null], dst: leaf(['b']) }]).toString('hex')).toBe(
      // dtab { dentries { prefix { elems { a } elems { * } } dst { leaf { id { b } } } } }
      '0a160a140a090a030a01610a021200120732050a030a0162',
    )
  })

  test('of a large dtab are written in many steps, however its rules are shaped', () => {
    const leaves = Array.from({ length: 4_000 }, (_, n) => leaf([`cluster-${n}`]))
    const halves = [alt(leaves.slice(0, 2_000)), union(leaves.slice(2_000).map(tree => ({ weight: 0.5, tree })))]
    const large: readonly Dtab[] = [
      leaves.map(dst => ({ prefix: ['svc', null], dst })),
      [{ prefix: ['svc'], dst: alt(leaves) }],
      [{ prefix: ['svc'], dst: alt([neg, union([{ weight: 1, tree: alt(halves) }])]) }],
    ]
    for (const dtab of large) {
      const steps = [...encodeDtabRsp({ version: 'v', dtab })].length
      const message = written(encodeDtabRsp({ version: 'v', dtab }))
      expect(steps).toBeGreaterThan(message.length / 40_000 - 1)
      expect(decodeDtabRsp(message)).toEqual({ version: 'v', dtab })
      expect(rewritten('DtabRsp', message).equals(message)).toBe(true)
    }
  })

  test('without a field are read as such', () => {
    const none = new Uint8Array()
    expect(decodeBindReq(none)).toEqual({ dtab: [] })
    expect(decodeDelegateTreeReq(none)).toEqual({ dtab: [] })
    expect([decodePathReq(none), decodeText(none), decodeDtab(none)]).toEqual([undefined, '', undefined])
    expect([encodePath(undefined), encodeText('')]).toEqual([Buffer.alloc(0), Buffer.alloc(0)])
    expect(decodePathReq(encodePath([]))).toEqual([])
    expect(decodeText(encodeText('/svc'))).toBe('/svc')
    expect(decodeBoundTreeRsp(none)).toEqual(neg)
    expect(decodeBoundTreeRsp(Buffer.from('0a00', 'hex'))).toEqual(neg)
    expect(decodeReplicas(none)).toEqual(ok({ kind: 'neg' }))
    expect(() => decodeDelegateTreeRsp(none)).toThrow(RangeError)
  })
})

describe('malformed messages', () => {
  const malformed = (name: string, json: object): Uint8Array =>
    typeOf(name).encode(typeOf(name).fromObject(json)).finish()

  test.each([
    ['a dtab entry without a prefix', { dtab: { dentries: [{ dst: { neg: {} } }] } }],
    ['a dtab entry without a destination', { dtab: { dentries: [{ prefix: {} }] } }],
    ['an element of a prefix without a value', { dtab: { dentries: [{ prefix: { elems: [{}] }, dst: { neg: {} } }] } }],
    ['a tree without a node', { dtab: { dentries: [{ prefix: {}, dst: {} }] } }],
    ['an empty label', { name: { elems: [''] } }],
    [
      'a weight below zero',
      { dtab: { dentries: [{ prefix: {}, dst: { union: { trees: [{ weight: -1, tree: { neg: {} } }] } } }] } },
    ],
    ['a branch without a tree', { dtab: { dentries: [{ prefix: {}, dst: { union: { trees: [{ weight: 1 }] } } }] } }],
  ])('are refused with a RangeError: %s', (_, json) => {
    expect(() => decodeBindReq(malformed('BindReq', json))).toThrow(RangeError)
  })

  test('are refused with a RangeError, whatever their bytes', () => {
    const decoders = [decodeBindReq, decodeDelegateTreeReq, decodeBoundTreeRsp, decodeReplicas, decodeDelegateTreeRsp]
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      boundTree.map(tree => encodeBoundTreeRsp(tree).subarray(0, -1)),
    )
    const outcome = (decode: (bytes: Uint8Array) => unknown, input: Uint8Array): unknown => {
      try {
        return decode(input)
      } catch (error) {
        return error
      }
    }
    fc.assert(
      fc.property(bytes, input => {
        for (const decode of decoders) {
          const result = outcome(decode, input)
          if (result instanceof Error) expect(result).toBeInstanceOf(RangeError)
        }
      }),
      seed,
    )
  })

  test('nested too deep are refused both ways, and cost no stack', () => {
    let tree: BoundTree = leaf({ id: ['#'], residual: [] })
    for (let i = 0; i < 30; i++) tree = alt([tree])
    expect(decodeBoundTreeRsp(encodeBoundTreeRsp(tree))).toEqual(tree)
    expect(() => encodeBoundTreeRsp(alt([tree]))).toThrow('more than 30 levels')
    let step: WireDelegateTree = { kind: 'neg', path: [] }
    for (let i = 0; i < 400; i++) step = { kind: 'delegate', path: [], tree: step }
    expect(decodeDelegateTreeRsp(encodeDelegateTreeRsp(step))).toMatchObject({ kind: 'delegate' })
    expect(() => encodeDelegateTreeRsp({ kind: 'delegate', path: [], tree: step })).toThrow('more than 400 levels')
    let bytes = Buffer.alloc(0)
    for (let i = 0; i < 4_000; i++) bytes = Buffer.concat([varint(i % 2 === 0 ? 34 : 10), varint(bytes.length), bytes])
    expect(() => decodeBoundTreeRsp(bytes)).toThrow('more than 30 levels')
  })
})

function varint(value: number): Uint8Array {
  return new protobuf.Writer().uint32(value).finish()
}

describe('a replica set', () => {
  const bound: ReplicaSet = {
    kind: 'bound',
    endpoints: [
      { address: '10.1.2.3', port: 80, weight: 1 },
      { address: '::1', port: 8080, weight: 2, metadata: { nodeName: 'n1', zone: 'a', up: true, rank: 3 } },
    ],
    metadata: { authority: 'web.service.dc1.consul' },
  }

  test('has its addresses as bytes, a meta always, and all metadata as text', () => {
    expect(read('Replicas', encodeReplicas(ok(bound)))).toEqual({
      bound: {
        endpoints: [
          { inet_af: 'INET4', address: 'CgECAw==', port: 80, meta: {} },
          {
            inet_af: 'INET6',
            address: 'AAAAAAAAAAAAAAAAAAAAAQ==',
            port: 8080,
            meta: { nodeName: 'n1' },
            metadata: { nodeName: 'n1', rank: '3', up: 'true', zone: 'a', endpoint_addr_weight: '2.0' },
          },
        ],
        metadata: { authority: 'web.service.dc1.consul' },
      },
    })
  })

  test('has the family and the port of each endpoint on the wire, zero or not: linkerd drops what lacks one', () => {
    const set: ReplicaSet = { kind: 'bound', endpoints: [{ address: '10.1.2.3', port: 0, weight: 1 }] }
    const endpoint = '0800' + '12040a010203' + '1800' + '2200' // inet_af address port meta
    expect(encodeReplicas(ok(set)).toString('hex')).toBe(`220e0a0c${endpoint}`)
  })

  test('comes out with its weights as numbers again', () => {
    const state = decodeReplicas(encodeReplicas(ok(bound)))
    expect(state).toEqual(
      ok({
        ...bound,
        endpoints: [
          { address: '10.1.2.3', port: 80, weight: 1 },
          {
            address: '::1',
            port: 8080,
            weight: 2,
            metadata: { nodeName: 'n1', zone: 'a', up: 'true', rank: '3' },
          },
        ],
      }),
    )
    expect(encodeReplicas(state)).toEqual(encodeReplicas(ok(bound)))
  })

  test('leaves out what is no IP address, and says bound when none is left', () => {
    const named: ReplicaSet = { kind: 'bound', endpoints: [{ address: 'web.local', port: 80, weight: 1 }] }
    expect(read('Replicas', encodeReplicas(ok(named)))).toEqual({ bound: {} })
    expect(decodeReplicas(encodeReplicas(ok(named)))).toEqual(ok({ kind: 'bound', endpoints: [] }))
  })

  test('may be pending, neg or failed', () => {
    const states: readonly State<ReplicaSet>[] = [
      pending,
      ok({ kind: 'neg' }),
      failed(new NamingError('namer-unavailable', 'No ID provided')),
    ]
    expect(states.map(state => read('Replicas', encodeReplicas(state)))).toEqual([
      { pending: {} },
      { neg: {} },
      { failed: { message: 'No ID provided' } },
    ])
    expect(states.map(state => decodeReplicas(encodeReplicas(state)))).toEqual(states)
  })

  test('with an address of another length is refused', () => {
    const bytes = typeOf('Replicas')
      .encode({ bound: { endpoints: [{ address: new Uint8Array(5), port: 1 }] } })
      .finish()
    expect(() => decodeReplicas(bytes)).toThrow('an address has 5 bytes')
  })
})

describe('an explanation', () => {
  const [rule] = orThrow(parseDtab('/svc => /a | /b'))
  const tree: WireDelegateTree = {
    kind: 'delegate',
    path: path('/svc/web'),
    tree: {
      kind: 'alt',
      path: path('/svc/web'),
      ...(rule && { dentry: rule }),
      trees: [
        { kind: 'neg', path: path('/a/web') },
        { kind: 'exception', path: path('/b/web'), message: 'out of order' },
        { kind: 'leaf', path: path('/b/web'), id: path('/#/fs/web'), residual: path('/x') },
        { kind: 'union', path: [], branches: [{ weight: 0.5, tree: { kind: 'fail', path: [] } }] },
        { kind: 'transformation', path: [], name: 'port', tree: { kind: 'empty', path: [] } },
      ],
    },
  }

  test('comes out as it went in', () => {
    const bytes = encodeDelegateTreeRsp(tree)
    expect(decodeDelegateTreeRsp(bytes)).toEqual(tree)
    expect(rewritten('DelegateTreeRsp', bytes)).toEqual(bytes)
  })

  test('has a rule at every step, and a word before what an exception says', () => {
    const bytes = encodeDelegateTreeRsp({ kind: 'exception', path: path('/a'), message: 'out of order' })
    expect(read('DelegateTreeRsp', bytes)).toEqual({
      tree: {
        path: { elems: ['YQ=='] },
        dentry: { prefix: { elems: [{ label: 'Lw==' }] }, dst: { neg: {} } },
        exception: 'BoundDelegateTree Exception: out of order',
      },
    })
  })
})
