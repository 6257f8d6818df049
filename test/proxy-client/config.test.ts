import { describe, expect, it } from 'vitest'
import { proxyConfig } from '../../proxy-client/config.ts'
import { createSettings } from '../../proxy-client/settings/create-settings.ts'
import { parseConfig } from '../../runtime/config.ts'

/** The problems of a configuration, each `path: message`. */
function problemsOf(value: unknown): readonly string[] {
  const checked = proxyConfig.safeParse(value)
  return checked.success ? [] : checked.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
}

const withRouter = (router: object): object => ({ routers: [router] })
const withServer = (server: object): object => withRouter({ servers: [server] })

const withMesh = (keys: object): object =>
  withRouter({ interpreter: { kind: 'io.l5d.mesh', dst: '/$/inet/127.0.0.1/4321', ...keys } })

/** As in linkerd's guides. */
const fromLinkerd = `
admin:
  ip: 0.0.0.0
  port: 9990

telemetry:
- kind: io.l5d.prometheus
- kind: io.l5d.recentRequests
  sampleRate: 0.25

usage:
  orgId: example
  enabled: false

routers:
- protocol: http
  label: outgoing
  dstPrefix: /http
  originator: true
  servers:
  - port: 4140
    ip: 0.0.0.0
    maxConcurrentRequests: 1000
    clearContext: true
    addForwardedHeader:
      by: {kind: "ip:port"}
      for: {kind: ip}
  identifier:
  - kind: io.l5d.methodAndHost
    httpUriInDst: true
  - kind: io.l5d.path
    segments: 2
    consume: true
  - kind: io.l5d.header
    header: my-header
  bindingTimeoutMs: 5000
  bindingCache:
    paths: 100
    trees: 100
    bounds: 100
    clients: 10
    idleTtlSecs: 3600
  maxHeadersKB: 16
  maxInitialLineKB: 8
  streamAfterContentLengthKB: 10
  httpAccessLog: logs/access.log
  httpAccessLogRollPolicy: never
  httpAccessLogAppend: true
  httpAccessLogRotateCount: -1
  interpreter:
    kind: io.l5d.mesh
    dst: /$/inet/namerd.example.org/4321
    root: /internal
    retry: {baseSeconds: 1, maxSeconds: 10}
    failureThreshold: {minPeriodMs: 1000}
    initialStreamWindowSizeKB: 1024
  client:
    kind: io.l5d.static
    configs:
    - prefix: /
      loadBalancer:
        kind: ewma
        maxEffort: 10
        decayTimeMs: 15000
      failureAccrual:
        kind: io.l5d.successRate
        successRate: 0.9
        requests: 20
        backoff:
          kind: constant
          ms: 10000
    - prefix: /#/io.l5d.consul/*/{service}
      requestAttemptTimeoutMs: 1000
      hostConnectionPool:
        minSize: 0
        maxSize: 1000
        idleTimeMs: 10000
        maxWaiters: 5000
      requeueBudget:
        minRetriesPerSec: 20
        percentCanRetry: 0.5
  service:
    kind: io.l5d.global
    totalTimeoutMs: 500
    retries:
      budget:
        minRetriesPerSec: 5
        percentCanRetry: 0.5
        ttlSecs: 15
      backoff:
        kind: jittered
        minMs: 10
        maxMs: 10000
    responseClassifier:
      kind: io.l5d.http.retryableIdempotent5XX
- protocol: http
  label: incoming
  servers: [{port: 4141, ip: 0.0.0.0}]
`

describe('the configuration of a proxy', () => {
  it('is complete without a file', () => {
    expect(proxyConfig.parse({})).toMatchObject({
      admin: { ip: '127.0.0.1', port: 9990 },
      routers: [
        {
          protocol: 'http',
          label: 'http',
          servers: [{ ip: '127.0.0.1', port: 4140, clearContext: false, maxCallDepth: 1000 }],
          dstPrefix: ['svc'],
          identifier: [{ kind: 'io.l5d.header.token', header: 'Host' }],
          interpreter: { kind: 'nameplane', addresses: ['127.0.0.1:4321'], namespace: 'default' },
          bindingTimeoutMs: 10_000,
          bindingCache: { paths: 1000, clients: 1000, idleTtlSecs: 600 },
          timeoutStatus: 503,
          maxHeadersKB: 8,
          maxInitialLineKB: 4,
          streamAfterContentLengthKB: 5,
        },
      ],
      telemetry: [],
      workers: 0,
    })
  })

  it("takes linkerd's", () => {
    const document = parseConfig(fromLinkerd, 'linkerd.yaml')
    const { routers } = document.check(proxyConfig, document.value, [])
    const [outgoing] = routers
    if (outgoing === undefined) throw new Error('no router')
    expect(routers.map(({ label, dstPrefix }) => [label, dstPrefix])).toEqual([
      ['outgoing', ['http']],
      ['incoming', ['svc']],
    ])
    expect(outgoing.interpreter).toEqual({
      kind: 'io.l5d.mesh',
      dst: ['namerd.example.org:4321'],
      root: 'internal',
      retry: { baseSeconds: 1, maxSeconds: 10 },
      failureThreshold: { minPeriodMs: 1000, closeTimeoutMs: 6000 },
      initialStreamWindowSizeKB: 1024,
    })
    const { clientSettingsFor, serviceSettingsFor } = createSettings(outgoing)
    expect(clientSettingsFor(['#', 'io.l5d.consul', 'dc1', 'web'])).toMatchObject({
      loadBalancer: { kind: 'ewma', maxEffort: 10, decayTimeMs: 15_000 },
      requestAttemptTimeoutMs: 1000,
      requeueBudget: { ttlSecs: 10, minRetriesPerSec: 20, percentCanRetry: 0.5 },
    })
    expect(serviceSettingsFor(['http', 'web']).totalTimeoutMs).toBe(500)
  })

  it('is plain data once it is read, so that it can be shown and handed to workers', () => {
    const document = parseConfig(fromLinkerd, 'linkerd.yaml')
    const config = document.check(proxyConfig, document.value, [])
    expect(structuredClone(config)).toEqual(config)
    expect(JSON.stringify(config)).toContain('"prefix":"/#/io.l5d.consul/*/{service}"')
  })

  it('points at each problem of a file', () => {
    const document = parseConfig('routers:\n- dtab: /a => /b\n  client:\n    configs: []\n', 'p.yaml')
    expect(() => document.check(proxyConfig, document.value, [])).toThrow(
      /^p\.yaml:4:5: routers\[0\]\.client\.configs: unknown key; known keys: clientSession, .*\np\.yaml:2:3: routers\[0\]\.dtab: is not supported: .*$/,
    )
  })

  it.each([
    [{ routers: [] }, 'routers: '],
    [withRouter({ protocol: 'h2' }), 'routers.0.protocol: only http is spoken'],
    [withServer({ port: 70_000 }), 'routers.0.servers.0.port: '],
    [
      withServer({ timestampHeader: 'Content-Length' }),
      'routers.0.servers.0.timestampHeader: a field that says something else',
    ],
    [withServer({ ip: 'localhost' }), 'routers.0.servers.0.ip: not an IP address'],
    [withRouter({ dstPrefix: 'svc' }), 'routers.0.dstPrefix: '],
    [withRouter({ identifier: { kind: 'io.l5d.path', segments: 0 } }), 'routers.0.identifier.segments: '],
    [withRouter({ interpreter: { kind: 'nameplane', addresses: ['x'] } }), 'interpreter.addresses.0: not host:port'],
    [
      withRouter({ interpreter: { kind: 'nameplane', addresses: ['x:99999'] } }),
      'routers.0.interpreter.addresses.0: the port is above 65535',
    ],
    [withRouter({ interpreter: { kind: 'nameplane', namespace: '../x' } }), 'interpreter.namespace: not a namespace'],
    [
      withMesh({ dst: '/#/io.l5d.k8s/namerd' }),
      'interpreter.dst.0: /#/io.l5d.k8s/namerd is no address: write /$/inet/',
    ],
    [withMesh({ dst: '/$/inet/x/99999' }), 'interpreter.dst.0: /$/inet/x/99999 is no address'],
    [withMesh({ dst: undefined }), 'interpreter.dst.0: write /$/inet/HOST/PORT'],
    [withMesh({ dst: [] }), 'interpreter.dst: write /$/inet/HOST/PORT'],
    [withMesh({ root: '/a/b' }), 'interpreter.root: /a/b is not one segment'],
    [withMesh({ retry: { baseSeconds: 700 } }), 'interpreter.retry.maxSeconds: maxSeconds is below baseSeconds'],
    [withRouter({ client: { requestAttemptTimeoutMs: 0 } }), 'routers.0.client.requestAttemptTimeoutMs: '],
    [withRouter({ client: { kind: 'io.l5d.static', configs: [{}] } }), 'routers.0.client.configs.0.prefix: '],
    [withRouter({ client: { loadBalancer: { kind: 'best' } } }), 'routers.0.client.loadBalancer.kind: '],
    [withRouter({ service: { retries: { budget: { ttlSecs: 0 } } } }), 'service.retries.budget.ttlSecs: '],
    [withRouter({ service: { responseClassifier: { kind: 'x' } } }), 'routers.0.service.responseClassifier.kind: '],
    [withRouter({ timeoutStatus: 500 }), 'routers.0.timeoutStatus: neither 503 nor 504'],
    [{ routers: [{ label: 'a' }, { label: 'a' }] }, 'routers.1.label: another router has the label "a"'],
    [{ telemetry: [{ kind: 'io.l5d.statsd' }] }, 'telemetry.0.kind: '],
    [{ foo: 1 }, ': Unrecognized key: "foo"'],
  ])('refuses %j', (value, problem) => {
    expect(problemsOf(value)).toEqual([expect.stringContaining(problem)])
  })
})

describe('what linkerd has and we lack', () => {
  it.each([
    [{ namers: [] }, 'namers: ', 'nameplane serve'],
    [{ admin: { httpIdentifierPort: 1 } }, 'admin.httpIdentifierPort: ', 'namerctl delegate'],
    [{ admin: { tls: {} } }, 'admin.tls: ', 'delete'],
    [{ admin: { security: {} } }, 'admin.security: ', 'delete'],
    [{ admin: { workerThreads: 4 } }, 'admin.workerThreads: ', 'set workers'],
    [withRouter({ dtab: '/a => /b' }), 'dtab: ', 'namerctl dtab put'],
    [withRouter({ announcers: [] }), 'announcers: ', 'delete'],
    [withRouter({ compressionLevel: 1 }), 'compressionLevel: ', 'delete'],
    [withRouter({ tracePropagator: {} }), 'tracePropagator: ', 'delete'],
    [withRouter({ maxErrResponseKB: 1 }), 'maxErrResponseKB: ', 'delete'],
    [withRouter({ streamingEnabled: false }), 'streamingEnabled: ', 'delete'],
    [withRouter({ interpreter: { kind: 'default' } }), 'interpreter.kind: ', 'kind: nameplane'],
    [withMesh({ tls: {} }), 'interpreter.tls: ', 'delete'],
    [withMesh({ transformers: [] }), 'interpreter.transformers: ', 'server'],
    [withRouter({ interpreter: { kind: 'io.l5d.namerd' } }), 'interpreter.kind: ', 'kind: nameplane'],
    [withRouter({ interpreter: { kind: 'io.l5d.namerd.http' } }), 'interpreter.kind: ', 'kind: nameplane'],
    [withRouter({ interpreter: { kind: 'io.l5d.fs' } }), 'interpreter.kind: ', 'namerctl dtab put'],
    [withRouter({ interpreter: { kind: 'nameplane', transformers: [] } }), 'interpreter.transformers: ', 'server'],
    [withRouter({ identifier: { kind: 'io.l5d.ingress' } }), 'identifier.kind: ', 'rules of the dtab'],
    [withServer({ tls: {} }), 'servers.0.tls: ', 'delete'],
    [withServer({ announce: [] }), 'servers.0.announce: ', 'delete'],
    [withServer({ timeoutMs: 1 }), 'servers.0.timeoutMs: ', 'totalTimeoutMs'],
    [withRouter({ client: { tls: {} } }), 'client.tls: ', 'delete'],
    [withRouter({ client: { failFast: true } }), 'client.failFast: ', 'failureAccrual'],
    [withRouter({ client: { requestAuthorizers: [] } }), 'client.requestAuthorizers: ', 'delete'],
    [withRouter({ client: { forwardClientCert: true } }), 'client.forwardClientCert: ', 'delete'],
    [withRouter({ service: { classificationTimeoutMs: 1 } }), 'service.classificationTimeoutMs: ', 'delete'],
  ])('%j is an error that says what to do', (value, place, advice) => {
    expect(problemsOf(value)).toEqual([
      expect.stringMatching(new RegExp(`${RegExp.escape(place)}.*is not supported: .*${RegExp.escape(advice)}`)),
    ])
  })
})
