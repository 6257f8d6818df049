import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../seeded-random.fixture.ts'
import { hostileRequests, hostileResponses } from './hostile-corpus.fixture.ts'
import { hostileStream, mutated } from './hostile-mutator.fixture.ts'
import { oracleRequests } from './message-oracle.fixture.ts'
import { cutAt, type Reading, readRequests, readResponse } from './reading.fixture.ts'

/** The whole requests of a reading, as the oracle puts them; trailers apart, for some are left out on purpose. */
function wholeRequests({ told, heads }: ReturnType<typeof readRequests>) {
  const ends = told.filter(({ what }) => what === 'end').length
  let at = -1
  const bodies: string[] = []
  for (const each of told) {
    if (each.what === 'head') bodies[++at] = ''
    if (each.what === 'data') bodies[at] = each.text
  }
  return heads.slice(0, ends).map((head, i) => ({
    method: head.method,
    target: head.target,
    version: `HTTP/1.${head.minor}`,
    fields: Array.from({ length: head.fields.size }, (_, n) => [
      head.fields.nameAt(n).toLowerCase(),
      head.fields.valueAt(n),
    ]),
    body: bodies[i],
  }))
}

function oracleView(text: string, count: number) {
  return oracleRequests(text, true)
    .requests.slice(0, count)
    .map(({ trailers: _left, bytes: _raw, ...request }) => request)
}

const told = <H>({ told: events, rest }: Reading<H>) => ({ events, rest })

describe('a reader of hostile streams', () => {
  it('takes a request only as a second reader, made apart, takes it too', () => {
    const random = seededRandom(20_26)
    const streams = [
      ...hostileRequests.map(({ bytes }) => bytes),
      ...Array.from({ length: 3_000 }, (_, i) => hostileStream(`${i}`, random)),
    ]
    let taken = 0
    for (const stream of streams) {
      const whole = wholeRequests(readRequests([stream]))
      taken += whole.length
      expect(whole).toEqual(
        oracleView(stream, whole.length).map(request => ({
          ...request,
          fields: request.fields.map(field => [...field]),
        })),
      )
    }
    expect(taken).toBeGreaterThan(1_000)
  })

  it('tells the same however a stream of requests is cut', () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(fc.nat(400), { maxLength: 8 }), fc.boolean(), (seed, cuts, isBytewise) => {
        const stream = hostileStream('x', seededRandom(seed)).slice(0, 9_000)
        const pieces =
          isBytewise && stream.length < 2_000
            ? [...stream]
            : cutAt(
                stream,
                cuts.filter(cut => cut < stream.length),
              )
        expect(told(readRequests(pieces))).toEqual(told(readRequests([stream])))
      }),
      { seed: 6, numRuns: 600 },
    )
  })

  it('tells the same of each case of the corpus byte for byte', () => {
    for (const { bytes, title } of hostileRequests) {
      expect(told(readRequests([...bytes])), title).toEqual(told(readRequests([bytes])))
    }
    for (const { bytes, title } of hostileResponses) {
      expect(told(readResponse('GET', [...bytes])), title).toEqual(told(readResponse('GET', [bytes])))
    }
  })

  it('tells the same however a mutated response is cut', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.nat(hostileResponses.length - 1),
        fc.array(fc.nat(200), { maxLength: 6 }),
        fc.constantFrom('GET', 'HEAD', 'CONNECT'),
        (seed, index, cuts, method) => {
          const stream = mutated(hostileResponses[index]?.bytes ?? '', seededRandom(seed)).slice(0, 9_000)
          const pieces = cutAt(
            stream,
            cuts.filter(cut => cut < stream.length),
          )
          expect(told(readResponse(method, pieces))).toEqual(told(readResponse(method, [stream])))
        },
      ),
      { seed: 6, numRuns: 400 },
    )
  })
})
