// E8: whatever keeps a request from its answer, the answer of the proxy says which stage failed, for which name by which
// rules, what was tried, how old the knowledge is and what is tried next. A table, one row a mistake.
import { describe, expect, it } from 'vitest'
import { leafOf } from '../proxy-client/naming.fake.ts'
import type { FakeInbound, InboundSketch } from '../proxy-client/router/fake-inbound.fixture.ts'
import { createRouterWorld, type RouterSketch } from '../proxy-client/router/router-world.fixture.ts'

type World = ReturnType<typeof createRouterWorld>

interface Mistake {
  readonly router?: RouterSketch
  readonly arrange?: (world: World) => void
  readonly request?: InboundSketch
  /** Lets time pass once the request is under way. */
  readonly waitMs?: number
  readonly status: number
  readonly stage: string
  readonly says: RegExp
}

const noBudget = { ttlSecs: 10, minRetriesPerSec: 0, percentCanRetry: 0 }
const allEndpoints =
  (kind: 'refused' | 'crowded' | 'unanswered' | 'malformed' | 'broken', message: string) =>
  (world: World): void => {
    world.serve(8080, 8081)
    world.upstreams.otherwise = exchange => exchange.fail(kind, message)
  }

const mistakes: Readonly<Record<string, Mistake>> = {
  'no naming server listens at the address': {
    arrange: ({ naming }) => {
      naming.present = {
        connected: false,
        wasConnected: false,
        problem: 'nothing listens at 127.0.0.1:4321. It is tried again in 1000 ms.',
        facts: {},
      }
    },
    waitMs: 10_000,
    status: 503,
    stage: 'bind',
    says: /\/svc\/web was not bound within 10000 ms \(bindingTimeoutMs\).*naming server: nothing listens at 127\.0\.0\.1:4321\. It is tried again in 1000 ms/s,
  },
  'no rule of the namespace leads anywhere': {
    router: { interpreter: { kind: 'nameplane', namespace: 'prod' } },
    arrange: ({ naming }) => naming.tree('/svc/web').set({ kind: 'neg' }),
    status: 502,
    stage: 'bind',
    says: /\/svc\/web is bound to nothing: no rule.*namespace: prod/s,
  },
  'a rule of the request leads nowhere': {
    request: { fields: [['l5d-dtab', '/svc/web=>/svc/wbe']] },
    arrange: ({ naming }) => naming.tree('/svc/web', '/svc/web => /svc/wbe').set({ kind: 'neg' }),
    status: 502,
    stage: 'bind',
    says: /bound to nothing.*dtab of this request: \/svc\/web => \/svc\/wbe\n/s,
  },
  'a rule refuses the name': {
    arrange: ({ naming }) => naming.tree('/svc/web').set({ kind: 'fail' }),
    status: 502,
    stage: 'bind',
    says: /is refused by a rule of the namespace or of the request \(!\)/,
  },
  'a rule says that the service is empty': {
    arrange: ({ naming }) => naming.tree('/svc/web').set({ kind: 'empty' }),
    status: 502,
    stage: 'bind',
    says: /bound to an empty service .*\(\$\)/,
  },
  'rules go in a circle': {
    arrange: ({ naming }) => naming.tree('/svc/web').fail(new Error('too many rewrites, of /svc/a to /svc/b')),
    status: 502,
    stage: 'bind',
    says: /cannot be bound: too many rewrites, of \/svc\/a to \/svc\/b/,
  },
  'as many names as there is room for are waited for': {
    router: { bindingCache: { paths: 1 } },
    arrange: ({ request }) => request({ host: 'other' }),
    status: 503,
    stage: 'overload',
    says: /too many new names are being bound at this moment.*bindingCache\.paths/,
  },
  'a namer does not answer': {
    arrange: ({ naming }) => naming.tree('/svc/web').set(leafOf('/#/io.l5d.consul/dc1/web')),
    waitMs: 10_000,
    status: 503,
    stage: 'resolve',
    says: /the endpoints of \/#\/io\.l5d\.consul\/dc1\/web were not known within 10000 ms/,
  },
  'the id does not exist, or not any more': {
    arrange: ({ naming }) => {
      naming.tree('/svc/web').set(leafOf('/#/web'))
      naming.replicaSet('/#/web').set({ kind: 'neg' })
    },
    status: 502,
    stage: 'resolve',
    says: /\/#\/web does not exist, or not any more.*client: \/#\/web/s,
  },
  'the namer failed and never gave an answer': {
    arrange: ({ naming }) => {
      naming.tree('/svc/web').set(leafOf('/#/web'))
      naming.replicaSet('/#/web').fail(new Error('consul: 403 token lacks permission'))
    },
    status: 502,
    stage: 'resolve',
    says: /the endpoints of \/#\/web are not known: consul: 403 token lacks permission/,
  },
  'the service has no instance': {
    arrange: ({ serve }) => serve(),
    status: 502,
    stage: 'balance',
    says: /\/#\/web has no endpoint/,
  },
  'what is known is old, for the server is away': {
    arrange: ({ serve, naming, clock }) => {
      serve()
      naming.tree('/svc/web').fail(new Error('the server is away'))
      naming.replicaSet('/#/web').fail(new Error('the server is away'))
      clock.advance(90_000)
    },
    status: 502,
    stage: 'balance',
    says: /the binding: not confirmed for 90 s; the server is away\nthe endpoints of \/#\/web: not confirmed for 90 s; the server is away/,
  },
  'the port is wrong': {
    arrange: allEndpoints('refused', 'connect ECONNREFUSED'),
    status: 502,
    stage: 'connect',
    says: /of 2 endpoints of \/#\/web none could be reached.*endpoints tried: 127\.0\.0\.1:808\d \(connect ECONNREFUSED\), 127/s,
  },
  'a firewall drops what is sent': {
    arrange: allEndpoints('refused', 'no connection within 1000 ms'),
    status: 502,
    stage: 'connect',
    says: /127\.0\.0\.1:808\d \(no connection within 1000 ms\)/,
  },
  'the budget is too small for the number of dead endpoints': {
    router: { client: { requeueBudget: noBudget } },
    arrange: allEndpoints('refused', 'connect ECONNREFUSED'),
    status: 502,
    stage: 'budget',
    says: /the budget for requeues to \/#\/web is spent \(requeueBudget\).*after 127\.0\.0\.1:808\d \(connect ECONNREFUSED\)/,
  },
  'the pool is too small': {
    router: { client: { hostConnectionPool: { maxSize: 1, maxWaiters: 0 } } },
    arrange: allEndpoints('crowded', '0 requests wait already (maxWaiters)'),
    status: 503,
    stage: 'overload',
    says: /of 2 endpoints of \/#\/web none has a connection free.*\(0 requests wait already \(maxWaiters\)\)/s,
  },
  'the backend speaks TLS, or something else': {
    arrange: allEndpoints('malformed', 'The start line is not one of HTTP.'),
    status: 502,
    stage: 'response',
    says: /127\.0\.0\.1:808\d gave an answer that is not HTTP\/1\.1: The start line is not one of HTTP\./,
  },
  'the backend closes connections without an answer': {
    request: { method: 'POST' },
    arrange: allEndpoints('unanswered', 'the connection was closed'),
    status: 502,
    stage: 'response',
    says: /127\.0\.0\.1:808\d gave no answer: the connection was closed/,
  },
  'the backend is slower than requestAttemptTimeoutMs': {
    router: { client: { requestAttemptTimeoutMs: 50 } },
    arrange: ({ serve }) => serve(8080),
    waitMs: 50,
    status: 503,
    stage: 'timeout',
    says: /127\.0\.0\.1:8080 gave no answer within the 50 ms of an attempt \(requestAttemptTimeoutMs\).*endpoints tried: 127\.0\.0\.1:8080/s,
  },
  'the backend is slower than totalTimeoutMs': {
    router: { service: { totalTimeoutMs: 50 }, timeoutStatus: 504 },
    arrange: ({ serve }) => serve(8080),
    waitMs: 50,
    status: 504,
    stage: 'timeout',
    says: /no answer within 50 ms \(totalTimeoutMs\); 1 attempt was made.*endpoints tried: 127\.0\.0\.1:8080 \(no answer in time\)/s,
  },
  'the clock of the client is behind': {
    request: { fields: [['l5d-ctx-deadline', '1000000000 2000000000']] },
    arrange: ({ serve }) => serve(8080),
    status: 503,
    stage: 'deadline',
    says: /deadline of the request \(l5d-ctx-deadline\) was over \d+ ms before it came, or a clock is wrong; nothing was sent/,
  },
  'the header of the identifier is missing': {
    router: { identifier: { kind: 'io.l5d.header.token', header: 'X-Service' } },
    status: 400,
    stage: 'identify',
    says: /the request has no X-Service header/,
  },
  'no identifier of a list fits': {
    router: {
      identifier: [
        { kind: 'io.l5d.header.token', header: 'X-Service' },
        { kind: 'io.l5d.path', segments: 2 },
      ],
    },
    status: 400,
    stage: 'identify',
    says: /io\.l5d\.header\.token: the request has no X-Service header; io\.l5d\.path: /,
  },
  'the dtab of the request does not parse': {
    request: { fields: [['l5d-dtab', '/svc=>!!']] },
    status: 400,
    stage: 'dtab',
    says: /the header l5d-dtab is not a dtab at column 8: /,
  },
  'proxies send to each other in a circle': {
    request: { fields: [['Via', Array.from({ length: 300 }, () => '1.1 a').join(',')]] },
    arrange: ({ serve }) => serve(8080),
    status: 400,
    stage: 'depth',
    says: /more than 200 proxies by its Via \(maxCallDepth\)/,
  },
}

function answerTo({ router, arrange, request, waitMs }: Mistake): FakeInbound {
  const world = createRouterWorld(router, { maxCallDepth: 200 })
  arrange?.(world)
  world.clock.settle()
  const inbound = world.request(request)
  if (waitMs !== undefined) world.clock.advance(waitMs)
  return inbound
}

describe('E8: the answer of a proxy names the stage, the cause and the place when', () => {
  it.each(Object.entries(mistakes))('%s', (_, mistake) => {
    const inbound = answerTo(mistake)
    expect(inbound).toMatchObject({ status: mistake.status, state: 'ended' })
    expect(inbound.error.split(':')[0]).toBe(mistake.stage)
    expect(inbound.text).toMatch(mistake.says)
    expect(inbound.text).toContain(`stage: ${mistake.stage}\n`)
    if (mistake.stage !== 'identify') expect(inbound.text).toMatch(/^service: \/svc\/web$/m)
  })
})
