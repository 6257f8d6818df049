// The text of a request's head against a naive model, over fields of all sorts that a client may send.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { requestHeadText } from '../../../proxy-client/headers/forward.ts'
import { fieldsOf } from '../../../proxy-client/http1/fields-of.ts'
import { defaultLimits } from '../../../proxy-client/http1/limits.ts'
import type { RequestHead } from '../../../proxy-client/http1/message.ts'
import { createRequestReader } from '../../../proxy-client/http1/request-reader.ts'
import { requestHead } from '../request-head.fixture.ts'

const endsHere = new Set([
  ...[
    'connection',
    'keep-alive',
    'proxy-connection',
    'te',
    'trailer',
    'transfer-encoding',
    'content-length',
    'upgrade',
  ],
  ...['expect', 'proxy-authenticate', 'proxy-authorization', 'host', 'via'],
])
const ours = ['l5d-ctx-dtab', 'l5d-dtab', 'l5d-reqid', 'l5d-dst-service', 'l5d-dst-client', 'l5d-dst-residual']
const others = ['x-a', 'X-B', 'Cookie', 'l5d-ctx-trace', 'l5d-sample', 'forwarded', 'date', 'l5d-ctx-deadline']

const name = fc.constantFrom(...endsHere, ...ours, ...others).chain(text =>
  fc.constantFrom(
    text,
    text.toUpperCase(),
    text.replace(/^./, first => first.toUpperCase()),
  ),
)
const value = fc.oneof(
  fc.constantFrom('', 'x-a', '1.1 a, 1.0 b'),
  fc.string({ unit: fc.constantFrom(...'abc :;,"\u00e9'), maxLength: 12 }).map(text => text.trim()),
)
const connection = fc.tuple(
  fc.constantFrom('Connection', 'connection'),
  fc.constantFrom('close', 'keep-alive', 'x-a, host', 'X-B , via, close', 'cookie'),
)
const field = fc.oneof({ arbitrary: connection, weight: 1 }, { arbitrary: fc.tuple(name, value), weight: 4 })

/** The head that an upstream reads. */
function read(text: string): RequestHead {
  const heads: RequestHead[] = []
  const fail = ({ message }: { readonly message: string }): never => {
    throw new Error(`${message}\n${text}`)
  }
  const ignore = (): void => {}
  const sink = {
    onHead: (head: RequestHead) => void heads.push(head),
    onInterim: ignore,
    onData: ignore,
    onEnd: ignore,
  }
  const reader = createRequestReader({ ...defaultLimits, maxFields: 1_000 }, { ...sink, onProblem: fail })
  const bytes = Buffer.from(`${text}\r\n`, 'latin1')
  expect(reader.read(bytes, 0)).toBe(bytes.length)
  const [head] = heads
  if (head === undefined) throw new Error(`no head in ${text}`)
  return head
}

function pairsOf({ fields }: RequestHead): readonly (readonly [string, string])[] {
  return Array.from({ length: fields.size }, (_, i) => [fields.nameAt(i), fields.valueAt(i)] as const)
}

it('has what came, in order, without what ends here, what Connection names and what is ours to say', () => {
  fc.assert(
    fc.property(fc.array(field, { maxLength: 12 }), pairs => {
      const ofName = (wanted: string) =>
        pairs.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value)
      const named = ofName('connection').flatMap(value =>
        value
          .toLowerCase()
          .split(',')
          .map(token => token.trim()),
      )
      const dropped = new Set([...endsHere, ...ours, ...named])
      const kept = pairs.filter(([name]) => !dropped.has(name.toLowerCase()))
      const head = { ...requestHead({}), fields: fieldsOf(pairs) }
      const destination = 'l5d-dst-service: /svc/web\r\n'
      const own = { destination, requestId: '7', deadline: undefined, added: '' }
      const text = requestHeadText({ head, method: 'GET', target: '/', host: 'web', ...own })
      expect(pairsOf(read(text))).toEqual([
        ['Host', 'web'],
        ...kept,
        ['Via', [...ofName('via'), '1.1 nameplane'].join(', ').trim()],
        ['l5d-dst-service', '/svc/web'],
        ['l5d-reqid', '7'],
      ])
    }),
    { seed: 20, numRuns: 500 },
  )
})
