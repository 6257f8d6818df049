// Endpoints without connections: a test answers each exchange by hand, or by a rule.
import type { Endpoint } from '../../../naming/replica-set.ts'
import { fieldsOf } from '../../../proxy-client/http1/fields-of.ts'
import type { ResponseHead } from '../../../proxy-client/http1/message.ts'
import type {
  Sending,
  Upstream,
  UpstreamFailure,
  UpstreamHandler,
  UpstreamRequest,
} from '../../../proxy-client/pool/upstream.ts'
import type { Pairs } from '../request-head.fixture.ts'

/** One exchange as the endpoint sees it. */
export class FakeExchange implements Sending {
  readonly port: number
  readonly headText: string
  readonly handler: UpstreamHandler
  body = ''
  isAborted = false
  resumed = 0
  readonly #request: UpstreamRequest
  /** Whether the body is read, or never will be. */
  #isRead = false

  constructor(port: number, request: UpstreamRequest, handler: UpstreamHandler) {
    this.port = port
    this.#request = request
    this.headText = request.headText
    this.handler = handler
  }

  /** What a pool asks before it sends what had to wait. */
  get isTooLate(): boolean {
    return this.#request.isTooLate === true
  }

  /** Opens the body, unless nothing was sent. */
  read(): void {
    if (this.#isRead) return
    this.#isRead = true
    this.#request.body?.open({
      isDrained: true,
      onData: slice => {
        this.body += slice.toString()
        return true
      },
      onEnd: () => {},
      onCut: () => {},
      onFlush: () => {},
    })
  }

  /** A field of the request. */
  header(name: string): string | undefined {
    return new RegExp(`^${name}: (.*)\r$`, 'mi').exec(this.headText)?.[1]
  }

  begin(status: number, fields: Pairs = []): void {
    this.read()
    this.handler.onResponse(responseHead(status, fields))
  }

  /** A whole response. */
  answer(status = 200, body = '', fields: Pairs = []): void {
    this.begin(status, fields)
    if (body !== '') this.handler.onData(Buffer.from(body))
    this.handler.onEnd(undefined)
  }

  fail(kind: UpstreamFailure['kind'], message: string = kind, isFresh = true): void {
    if (kind === 'refused' || kind === 'crowded') this.#isRead = true
    else this.read()
    this.handler.onFailure({ kind, error: new Error(message), isFresh })
  }

  abort(): void {
    this.isAborted = true
  }

  resume(): void {
    this.resumed++
  }
}

export function responseHead(status: number, fields: Pairs = []): ResponseHead {
  const framing = { kind: 'chunked' } as const
  return { status, reason: '', minor: 1, fields: fieldsOf(fields), framing, isPersistent: true, upgrade: undefined }
}

/** What an endpoint does as soon as it is asked; nothing leaves the answer to the test. */
export type Rule = (exchange: FakeExchange) => void

export class FakeUpstreams {
  readonly exchanges: FakeExchange[] = []
  /** By port; `otherwise` for those that are not there. */
  readonly rules = new Map<number, Rule>()
  otherwise: Rule = () => {}
  readonly closed: number[] = []

  /** The exchange that was begun last. */
  get last(): FakeExchange {
    const last = this.exchanges.at(-1)
    if (last === undefined) throw new Error('nothing was sent')
    return last
  }

  /** How many exchanges each port has seen. */
  get counts(): Readonly<Record<number, number>> {
    const counts: Record<number, number> = {}
    for (const { port } of this.exchanges) counts[port] = (counts[port] ?? 0) + 1
    return counts
  }

  readonly create = ({ port }: Endpoint): Upstream => ({
    connections: 0,
    send: (request, handler) => {
      const exchange = new FakeExchange(port, request, handler)
      this.exchanges.push(exchange)
      const rule = this.rules.get(port) ?? this.otherwise
      rule(exchange)
      exchange.read()
      return exchange
    },
    close: () => {
      this.closed.push(port)
      return Promise.resolve()
    },
    destroy: () => Promise.resolve(),
  })
}
