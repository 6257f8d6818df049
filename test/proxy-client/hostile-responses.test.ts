import { describe, expect, it, onTestFinished } from 'vitest'
import { answersOf } from './http1/desync-check.fixture.ts'
import { hostileResponses } from './http1/hostile-corpus.fixture.ts'
import { mutated } from './http1/hostile-mutator.fixture.ts'
import { sendBytes } from './http1/raw-client.fixture.ts'
import { readResponse } from './http1/reading.fixture.ts'
import { startRecordingBackend } from './http1/recording-backend.fixture.ts'
import { endpointAt } from './naming.fake.ts'
import { startTestProxy } from './proxy.fixture.ts'
import { seededRandom } from './seeded-random.fixture.ts'

const atEnd = (close: () => unknown): void => onTestFinished(async () => void (await close()))

const second = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond'
const bothRequests = 'GET /1 HTTP/1.1\r\nHost: web\r\n\r\nGET /2 HTTP/1.1\r\nHost: web\r\n\r\n'

/** How a response is to be taken: it is whole, or breaks off before or after its head was taken. */
function expectationOf(bytes: string) {
  const { told, heads, rest } = readResponse('GET', [bytes])
  const head = heads.at(-1)
  const isTaken = told.some(({ what }) => what === 'head') && head?.framing.kind !== 'tunnel'
  const problem = told.find(({ what }) => what === 'problem')
  const data = told.find(({ what }) => what === 'data')
  const kind = !isTaken ? 'unusable' : problem === undefined ? 'whole' : 'cut'
  const endsWithConnection = head?.framing.kind === 'close' || (problem?.what === 'problem' && problem.kind === 'cut')
  return {
    kind,
    endsWithConnection,
    hasExcess: rest !== '',
    status: head?.status,
    body: data?.what === 'data' ? data.text : '',
  } as const
}

describe('hostile responses', () => {
  it('are taken as they were read or cut off, and never answer the request after', async () => {
    let bytes = ''
    let endsConnection = false
    const backend = await startRecordingBackend(
      atEnd,
      ({ target }) => (target === '/1' ? bytes : second),
      ({ target }) => target === '/1' && endsConnection,
    )
    const { naming, port } = await startTestProxy()
    naming.route('/svc/web', '/#/web', [endpointAt(backend.port)])
    const random = seededRandom(8)
    // One half as it is, a part of the other mutated.
    const plain = hostileResponses.filter((_, i) => i % 2 === 0).map(response => response.bytes)
    const others = hostileResponses.filter((_, i) => i % 6 === 1).map(response => mutated(response.bytes, random))
    for (bytes of [...plain, ...others]) {
      const { kind, endsWithConnection, hasExcess, status, body } = expectationOf(bytes)
      endsConnection = endsWithConnection
      const text = await sendBytes(port, bothRequests)
      const why = JSON.stringify({ bytes: bytes.slice(0, 200), text: text.slice(0, 400) })
      if (kind === 'cut') expect(text, why).not.toContain('second')
      else {
        const answers = answersOf(text, ['GET', 'GET'])
        expect(
          answers.map(answer => answer.status),
          why,
        ).toEqual([kind === 'whole' ? status : 502, 200])
        if (kind === 'whole') expect(answers[0]?.body, why).toBe(body)
        expect(answers[1]?.body, why).toBe('second')
        const [one, two] = backend.requests.slice(-2)
        if (hasExcess) expect(one?.connection, why).not.toBe(two?.connection)
      }
    }
    expect(backend.rests).toEqual([])
  })
})
