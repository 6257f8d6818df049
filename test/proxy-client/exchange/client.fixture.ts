// A listener whose handler a test gives, and clients on bare TCP that see every byte.
import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import type { Inbound, InboundHandler } from '../../../proxy-client/exchange/inbound.ts'
import { type Listener, type ListenerOptions, startListener } from '../../../proxy-client/exchange/listener.ts'
import { serverConfig } from '../../../proxy-client/exchange/server-config.ts'
import type { ProxyFailure } from '../../../proxy-client/failure.ts'
import type { Clock } from '../../../watch/clock.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'

export interface TestListener {
  readonly listener: Listener
  readonly clock: FakeClock
  readonly refused: ProxyFailure[]
  /** Errors of the listener's own. */
  readonly crashes: unknown[]
  /** Requests that came to the handler. */
  readonly inbounds: Inbound[]
  /** The next request, counted from the first; waits for it. */
  inbound(index?: number): Promise<Inbound>
  open(): RawClient
}

export interface TestListenerOptions extends Partial<Pick<ListenerOptions, 'limits' | 'connectionEvents'>> {
  readonly config?: object
  readonly clock?: Clock
}

/** Closed when the test ends. */
export async function startTestListener(
  handle: InboundHandler = () => {},
  { config = {}, clock = new FakeClock(), ...rest }: TestListenerOptions = {},
): Promise<TestListener> {
  const refused: ProxyFailure[] = []
  const crashes: unknown[] = []
  const inbounds: Inbound[] = []
  const listener = await startListener({
    config: serverConfig.parse({ port: 0, ...config }),
    role: 'the listener of a test',
    clock,
    handle: inbound => {
      inbounds.push(inbound)
      handle(inbound)
    },
    onRefused: failure => refused.push(failure),
    onCrash: error => crashes.push(error),
    ...rest,
  })
  const clients: RawClient[] = []
  onTestFinished(async () => {
    for (const client of clients) client.socket.destroy()
    const closed = listener.close(1)
    if (clock instanceof FakeClock) clock.advance(1)
    await closed
  })
  return {
    listener,
    clock: clock instanceof FakeClock ? clock : new FakeClock(),
    refused,
    crashes,
    inbounds,
    inbound: async (index = 0) => {
      await until(() => inbounds.length > index)
      const inbound = inbounds[index]
      if (inbound === undefined) throw new Error('no such request')
      return inbound
    },
    open: () => {
      const client = new RawClient(
        connect({ port: listener.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true }),
      )
      clients.push(client)
      return client
    },
  }
}

/** A client that shows what came, as latin-1 text. */
export class RawClient {
  readonly socket: Socket
  text = ''
  hasEnded = false
  isClosed = false
  /** The code of the error that closed it. */
  error: string | undefined

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', chunk => {
      this.text += chunk.toString('latin1')
    })
    socket.on('end', () => {
      this.hasEnded = true
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code
    })
    socket.on('close', () => {
      this.isClosed = true
    })
  }

  send(text: string | Buffer): this {
    this.socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text)
    return this
  }

  /** Waits until the text matches. */
  async sees(wanted: RegExp | string | ((text: string) => boolean)): Promise<string> {
    const matches = (): boolean => {
      if (typeof wanted === 'string') return this.text.includes(wanted)
      return typeof wanted === 'function' ? wanted(this.text) : wanted.test(this.text)
    }
    await until(matches, () => this.text)
    return this.text
  }

  /** Waits until the other side has ended. */
  async ends(): Promise<string> {
    await until(
      () => this.hasEnded || this.isClosed,
      () => this.text,
    )
    return this.text
  }
}

/** Turns the event loop until something holds; fails loudly when it never does. */
export async function until(holds: () => boolean, show: () => unknown = () => ''): Promise<void> {
  for (let turns = 0; !holds(); turns++) {
    if (turns > 300_000) throw new Error(`it never came to be: ${String(show())}`)
    await new Promise(setImmediate)
  }
}

/** Lets the event loop turn until a value has not changed for many turns. */
export async function settled(value: () => number): Promise<number> {
  let last = value()
  for (let quiet = 0; quiet < 300; quiet++) {
    await new Promise(setImmediate)
    if (value() === last) continue
    last = value()
    quiet = 0
  }
  return last
}

/** A head with Host. */
export function requestHead(first: string, ...fields: readonly string[]): string {
  const line = / HTTP\/1\.[01]$/.test(first) ? first : `${first} HTTP/1.1`
  return `${[line, 'Host: web', ...fields].join('\r\n')}\r\n\r\n`
}

/** Answers with a length and a body. */
export function answer({ response }: Inbound, body = 'hi', status = 200): void {
  response.start(status, 'Fine', '', { kind: 'length', bytes: body.length })
  if (body !== '') response.write(Buffer.from(body, 'latin1'))
  response.end()
}

/** Writes a chunked response that has begun until neither the client nor the system between takes more. */
export async function fill(response: Inbound['response']): Promise<void> {
  do {
    while (response.write(Buffer.alloc(65_536))) response.flush()
    response.flush()
    await settled(() => (response.isDrained ? 1 : 0))
  } while (response.isDrained)
}

/** Reads a body as text and calls back at its end. */
export function readBody({ body }: Inbound, whole: (text: string) => void): void {
  let text = ''
  if (body === undefined) {
    whole('')
    return
  }
  body.open({
    isDrained: true,
    onData: slice => {
      text += slice.toString('latin1')
      return true
    },
    onEnd: () => whole(text),
    onCut: () => {},
    onFlush: () => {},
  })
}
