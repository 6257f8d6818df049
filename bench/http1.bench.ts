// Nanoseconds to read one message head, by number of fields: our reader, and the parser inside Node beside it.
import { createRequire } from 'node:module'
import { defaultLimits } from '../proxy-client/http1/limits.ts'
import type { MessageReader, MessageSink } from '../proxy-client/http1/message.ts'
import { createRequestReader } from '../proxy-client/http1/request-reader.ts'
import { createResponseReader } from '../proxy-client/http1/response-reader.ts'
import { median, printTable } from './measure.ts'

const rounds = 7
const headsPerRound = 200_000

const extraFields = [
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101',
  'Accept: text/html,application/xhtml+xml,*/*;q=0.8',
  'Accept-Encoding: gzip, deflate, br',
  'Cache-Control: max-age=0',
  'ETag: "5f1c-5e2d9a8b7c6d5"',
  'Last-Modified: Wed, 21 Oct 2015 07:28:00 GMT',
]

function fields(first: string, count: number): string {
  const rest = Array.from(
    { length: count - 1 },
    (_, i) => extraFields[i] ?? `X-Field-${i}: some value of a usual length`,
  )
  return [first, ...rest].map(line => `${line}\r\n`).join('')
}

/** Gives a function that reads one head; the body is empty, so that the message ends with it. */
type MakeReader = (head: Buffer) => () => void

const silent: MessageSink<unknown> = {
  onHead: () => {},
  onInterim: () => {},
  onData: () => {},
  onEnd: () => {},
  onProblem: problem => {
    throw new Error(problem.message)
  },
}

const ourRequests: MakeReader = head => {
  const reader: MessageReader = createRequestReader(defaultLimits, silent)
  return () => {
    reader.read(head, 0)
    reader.next()
  }
}

const ourResponses: MakeReader = head => {
  const reader = createResponseReader(defaultLimits, silent)
  return () => {
    reader.expect('GET')
    reader.read(head, 0)
  }
}

/** What we use of the parser that node:http is built on. */
interface NodeParser {
  initialize(kind: number, resource: object): void
  execute(chunk: Buffer): number | Error
  [callback: number]: (...parts: unknown[]) => number
}
interface NodeParserClass {
  new (): NodeParser
  readonly REQUEST: number
  readonly RESPONSE: number
  readonly kOnHeadersComplete: number
}

function nodeParser(kind: 'REQUEST' | 'RESPONSE'): MakeReader {
  // An undocumented module, for this comparison only.
  const HTTPParser = createRequire(import.meta.url)('_http_common').HTTPParser as NodeParserClass
  return head => {
    const parser = new HTTPParser()
    parser.initialize(HTTPParser[kind], {})
    parser[HTTPParser.kOnHeadersComplete] = () => 0
    return () => {
      if (parser.execute(head) !== head.length) throw new Error('Node did not read the head')
    }
  }
}

function nanosecondsPerHead(read: () => void): number {
  const startedAt = process.cpuUsage()
  for (let i = 0; i < headsPerRound; i++) read()
  const { user, system } = process.cpuUsage(startedAt)
  return ((user + system) * 1_000) / headsPerRound
}

/** Medians of interleaved rounds, after one to warm up. */
function measure(head: Buffer, makers: readonly MakeReader[]): string[] {
  const readers = makers.map(make => make(head))
  for (const read of readers) nanosecondsPerHead(read)
  const samples = Array.from({ length: rounds }, () => readers.map(nanosecondsPerHead))
  return readers.map((_, i) => median(samples.map(sample => sample[i] ?? Number.NaN)).toFixed(0))
}

export function run(): void {
  const rows = [1, 8, 20].map(count => {
    const request = Buffer.from(`GET /a/path?of=some HTTP/1.1\r\n${fields('Host: web.example', count)}\r\n`)
    const response = Buffer.from(`HTTP/1.1 200 OK\r\n${fields('Content-Length: 0', count)}\r\n`)
    return [
      `${count}`,
      ...measure(request, [ourRequests, nodeParser('REQUEST')]),
      ...measure(response, [ourResponses, nodeParser('RESPONSE')]),
    ]
  })
  printTable([['fields', 'request ns', 'Node ns', 'response ns', 'Node ns'], ...rows])
}
