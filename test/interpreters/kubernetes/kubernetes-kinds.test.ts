import { describe, expect, it, onTestFinished } from 'vitest'
import { accessFrom } from '../../../clients/kubernetes/access-options.ts'
import { external, kubernetes, ownNamespace } from '../../../interpreters/kubernetes/index.ts'
import { silentLog } from '../../../runtime/log.ts'
import { createMetrics } from '../../../runtime/metrics.ts'
import { systemClock, systemRandom } from '../../../watch/clock.ts'
import { createKernel } from '../../../watch/kernel.ts'

const env = {
  kernel: createKernel({ clock: systemClock, onError: () => {} }),
  clock: systemClock,
  random: systemRandom,
  log: silentLog,
  metrics: createMetrics(),
}

const kinds = [kubernetes, ownNamespace, external] as const

describe.each(kinds)('the kind $kind', ({ kind, config }) => {
  it("takes namerd's configuration as it is, and means what namerd meant", () => {
    const namerd = { host: 'localhost', port: 8001, prefix: '/k', experimental: true, labelSelector: 'version' }
    expect(config.parse(namerd)).toMatchObject({ prefix: ['#', 'k'], labelSelector: 'version', emptyIsNeg: true })
    expect(config.parse({})).toMatchObject({ prefix: ['#', kind], maxObjects: 100_000, emptyHoldDownMs: 1_000 })
    expect(accessFrom(config.parse({}))).toEqual({ host: 'localhost', port: 8001 })
    expect(accessFrom(config.parse({ port: 9000 }))).toEqual({ host: 'localhost', port: 9000 })
  })

  it('finds the API server by a kubeconfig, or from within the cluster', () => {
    expect(accessFrom(config.parse({ kubeconfig: '/k', context: 'prod' }))).toEqual({
      kubeconfig: '/k',
      context: 'prod',
    })
    expect(accessFrom(config.parse({ inCluster: true }))).toEqual({ inCluster: true })
    expect(accessFrom(config.parse({ inCluster: false }))).toEqual({ host: 'localhost', port: 8001 })
  })

  it.each([
    [{ inCluster: true, host: 'a' }, 'delete host and port, or inCluster'],
    [{ inCluster: true, port: 1 }, 'delete host and port, or inCluster'],
    [{ kubeconfig: '/k', port: 1 }, 'delete host and port, or kubeconfig'],
    [{ kubeconfig: '/k', inCluster: true }, 'delete kubeconfig or inCluster'],
    [{ context: 'prod' }, 'name that file with kubeconfig'],
    [{ labelSelector: 'version=v1' }, 'not the key of a label'],
    [{ labelSelector: 'a/b/c' }, 'not the key of a label'],
    [{ maxObjects: 0 }, 'maxObjects'],
    [{ port: 65_536 }, 'port'],
    [{ envvar: 'X' }, 'envvar'],
    [{ terminating: 'keep' }, 'terminating'],
    [{ transformers: [] }, 'transformers'],
  ])('refuses %j and says why', (given, why) => {
    expect(JSON.stringify(config.safeParse(given).error?.issues)).toContain(why)
  })

  it.each(['version', 'app.kubernetes.io/name', 'a'])('takes %s for the key of a label', labelSelector => {
    expect(config.parse({ labelSelector })).toMatchObject({ labelSelector })
  })
})

describe('the namespace of io.l5d.k8s.ns', () => {
  const envVar = 'NAMEPLANE_TEST_NAMESPACE'
  const open = (value?: string) => {
    if (value === undefined) delete process.env[envVar]
    else process.env[envVar] = value
    onTestFinished(() => void delete process.env[envVar])
    return ownNamespace.open(ownNamespace.config.parse({ envVar }), env)
  }

  it('is what the environment variable holds', async () => {
    const namer = await open('Prod')
    expect(namer.prefix).toEqual(['#', 'io.l5d.k8s.ns'])
    namer.close()
  })

  it.each([undefined, '', 'no_namespace', 'x'.repeat(64)])(
    'is refused at start, with the name of the variable, when that holds %j',
    value => {
      expect(() => open(value)).toThrow(
        expect.objectContaining({ code: 'bad-config', message: expect.stringContaining(envVar) }),
      )
    },
  )

  it('comes from POD_NAMESPACE unless another variable is named', () => {
    expect(ownNamespace.config.parse({}).envVar).toBe('POD_NAMESPACE')
  })
})

describe('an API server that is away', () => {
  it.each([
    ['io.l5d.k8s', () => kubernetes.open(kubernetes.config.parse({ port: 1 }), env)],
    ['io.l5d.k8s.external', () => external.open(external.config.parse({ port: 1 }), env)],
  ])('does not hold back the start of %s', async (_, open) => {
    const namer = await open()
    namer.close()
    namer.close()
  })
})
