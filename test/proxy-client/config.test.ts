import { describe, expect, it } from 'vitest'
import { proxyConfig } from '../../proxy-client/config.ts'

/** The problems of a configuration, each `path: message`. */
function problemsOf(value: unknown): readonly string[] {
  const checked = proxyConfig.safeParse(value)
  return checked.success ? [] : checked.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
}

const withRouter = (router: object): object => ({ routers: [router] })

describe('the configuration of a proxy', () => {
  it('is complete without a file', () => {
    expect(proxyConfig.parse({})).toEqual({
      admin: { ip: '127.0.0.1', port: 9990 },
      routers: [
        {
          protocol: 'http',
          label: 'http',
          servers: [{ ip: '127.0.0.1', port: 4140 }],
          dstPrefix: ['svc'],
          identifier: { kind: 'io.l5d.header.token', header: 'Host' },
          interpreter: { kind: 'nameplane', addresses: ['127.0.0.1:4321'], namespace: 'default' },
          bindingTimeoutMs: 10_000,
          bindingCache: { paths: 1000, clients: 1000, idleTtlSecs: 600 },
          client: {
            kind: 'io.l5d.global',
            loadBalancer: { kind: 'p2c', maxEffort: 5 },
            clientSession: { connectTimeoutMs: 1000, idleTimeMs: 60_000 },
          },
          service: { kind: 'io.l5d.global', responseClassifier: { kind: 'io.l5d.http.nonRetryable5XX' } },
        },
      ],
      telemetry: [],
    })
  })

  it('takes the shape of linkerd', () => {
    const parsed = proxyConfig.parse({
      admin: { ip: '0.0.0.0', port: 9991 },
      routers: [
        {
          protocol: 'http',
          label: 'outgoing',
          servers: [{ port: 4140, ip: '::' }, { port: 4145 }],
          dstPrefix: '/http/out',
          identifier: { kind: 'io.l5d.header.token', header: 'X-Service' },
          interpreter: { kind: 'nameplane', addresses: ['a.example:4321', '[::1]:4321'], namespace: 'internal' },
          client: { loadBalancer: { kind: 'p2c' } },
          service: { responseClassifier: { kind: 'io.l5d.http.allSuccessful' } },
        },
        { label: 'incoming', servers: [{ port: 4141 }] },
      ],
      telemetry: [{ kind: 'io.l5d.prometheus' }],
    })
    expect(parsed.routers.map(({ label, dstPrefix }) => [label, dstPrefix])).toEqual([
      ['outgoing', ['http', 'out']],
      ['incoming', ['svc']],
    ])
  })

  it.each([
    [{ routers: [] }, 'routers: '],
    [withRouter({ protocol: 'h2' }), 'routers.0.protocol: '],
    [withRouter({ servers: [{ port: 70_000 }] }), 'routers.0.servers.0.port: '],
    [withRouter({ servers: [{ ip: 'localhost' }] }), 'routers.0.servers.0.ip: not an IP address'],
    [withRouter({ dstPrefix: 'svc' }), 'routers.0.dstPrefix: '],
    [withRouter({ identifier: { kind: 'io.l5d.path' } }), 'routers.0.identifier.kind: '],
    [
      withRouter({ identifier: { kind: 'io.l5d.header.token', header: 'a b' } }),
      'routers.0.identifier.header: not a header name',
    ],
    [
      withRouter({ interpreter: { kind: 'nameplane', addresses: ['x'] } }),
      'routers.0.interpreter.addresses.0: not host:port',
    ],
    [
      withRouter({ interpreter: { kind: 'nameplane', addresses: ['x:99999'] } }),
      'routers.0.interpreter.addresses.0: the port is above 65535',
    ],
    [
      withRouter({ interpreter: { kind: 'nameplane', namespace: '../x' } }),
      'routers.0.interpreter.namespace: not a namespace',
    ],
    [
      withRouter({ client: { requestAttemptTimeoutMs: 1 } }),
      'routers.0.client: Unrecognized key: "requestAttemptTimeoutMs"',
    ],
    [withRouter({ service: { retries: {} } }), 'routers.0.service: Unrecognized key: "retries"'],
    [
      withRouter({ service: { responseClassifier: { kind: 'io.l5d.http.retryableRead5XX' } } }),
      'routers.0.service.responseClassifier.kind: ',
    ],
    [{ routers: [{ label: 'a' }, { label: 'a' }] }, 'routers.1.label: another router has the label "a"'],
    [{ namers: [] }, ': Unrecognized key: "namers"'],
    [{ telemetry: [{ kind: 'io.l5d.statsd' }] }, 'telemetry.0.kind: '],
  ])('refuses %j', (value, problem) => {
    const problems = problemsOf(value)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(problem)
  })
})
