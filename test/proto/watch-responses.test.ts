// Responses of a Watch stream: what is encoded is read, and is what naming.proto says; Updates in pieces come back whole.
import fc from 'fast-check'
import protobuf from 'protobufjs'
import { describe, expect, test } from 'vitest'
import { ResponseBuilder } from '../../api/grpc/response-builder.ts'
import { leaf } from '../../naming/name-tree.ts'
import { namingProtoFile } from '../../proto/naming-service.ts'
import { decodeUpdate, encodeTreeContent } from '../../proto/updates.ts'
import { decodeWatchResponse, PieceCollector } from '../../proto/watch-responses.ts'
import { ok } from '../../watch/state.ts'

const WatchResponse = protobuf.loadSync(namingProtoFile).lookupType('nameplane.v1.WatchResponse')
const seed = { seed: 20_260_103, numRuns: 300 }
const bytesOf = (text: string) => Buffer.from(text)
const id = ['#', 'fs', 'a\xff']

describe('a response', () => {
  test('is read as it was built, and as naming.proto says', () => {
    const builder = new ResponseBuilder()
    builder.add(7, encodeTreeContent(ok(leaf({ id, residual: [] }))), undefined)
    builder.addPiece(bytesOf('abc'), true, false)
    builder.wantHeld()
    for (const unknown of [1, 70_000, id]) builder.addUnknown(unknown)
    builder.addMove({ withinMs: 30_000, reason: 'age' })
    const bytes = builder.take(300, 250)
    expect(builder.length).toBe(0)
    const expected = {
      sequence: 300,
      updates: [{ key: 7 }],
      piece: { bytes: bytesOf('abc'), begins: true, ends: false },
      wantsHeld: true,
      unknownKeys: [1, 70_000],
      unknownIds: [id],
      move: { withinMs: 30_000, reason: 'age' },
      ackWithinMs: 250,
    }
    expect(decodeWatchResponse(bytes)).toMatchObject(expected)
    const asWritten = WatchResponse.decode(bytes)
    expect(WatchResponse.toObject(asWritten, { longs: Number })).toMatchObject({
      sequence: 300,
      wantsHeld: true,
      unknownKeys: [1, 70_000],
      unknownIds: [{ labels: id.map(label => Buffer.from(label, 'latin1')) }],
      move: { withinMs: 30_000, reason: 'age' },
      ackWithinMs: 250,
    })
    expect(decodeWatchResponse(WatchResponse.encode(asWritten).finish())).toMatchObject(expected)
  })

  test('has no number when it is not counted, and says nothing that was not put in', () => {
    expect(decodeWatchResponse(new ResponseBuilder().take())).toEqual({
      sequence: 0,
      updates: [],
      wantsHeld: false,
      unknownKeys: [],
      unknownIds: [],
      ackWithinMs: 0,
    })
  })

  test('that is cut or garbled is a RangeError, whatever the bytes', () => {
    const read = (bytes: Uint8Array): void => {
      try {
        decodeWatchResponse(bytes)
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError)
      }
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), read), { ...seed, numRuns: 500 })
    const whole = new ResponseBuilder()
    whole.addPiece(bytesOf('abc'), true, false)
    whole.addUnknown(id)
    const bytes = whole.take(300)
    for (let length = 0; length < bytes.length; length++) read(bytes.subarray(0, length))
  })
})

describe('pieces', () => {
  test('come back as the Update they were, whatever stands in their messages beside them', () => {
    const value = leaf({ id, residual: ['x'] })
    const update = Buffer.concat([Uint8Array.of(8, 7), encodeTreeContent(ok(value))])
    fc.assert(
      fc.property(fc.integer({ min: 1, max: update.length }), fc.integer({ min: 1, max: 1e6 }), (size, first) => {
        const collector = new PieceCollector()
        let whole: Uint8Array | undefined
        for (let at = 0, sequence = first; at < update.length; at += size, sequence++) {
          expect(whole).toBeUndefined()
          const bytes = update.subarray(at, at + size)
          whole = collector.add({ bytes, begins: at === 0, ends: at + size >= update.length }, sequence)
        }
        expect(decodeUpdate(whole ?? new Uint8Array())).toMatchObject({ kind: 'tree', key: 7, state: { value } })
      }),
      seed,
    )
  })

  test('come to nothing when one is missing, until another Update begins', () => {
    const collector = new PieceCollector()
    const add = (text: string, sequence: number, begins = false, ends = false) =>
      collector.add({ bytes: bytesOf(text), begins, ends }, sequence)?.toString()
    add('a', 1, true)
    add('c', 3)
    expect(add('d', 4, false, true)).toBeUndefined()
    add('x', 5, true)
    expect(add('y', 6, false, true)).toBe('xy')
    add('a', 7, true)
    add('b', 8, true)
    expect(add('c', 9, false, true)).toBe('bc')
    add('a', 10, true)
    collector.clear()
    expect(add('b', 11, false, true)).toBeUndefined()
  })
})
