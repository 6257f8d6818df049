import { type NamerFixture, namerContract } from '../../contract/namer.contract.ts'
import type { ClusterObject } from '../../fakes/kubernetes-cluster.fake.ts'
import { KubernetesWorld, type WorldOptions } from './kubernetes.fixture.ts'
import { serviceOf, sliceOf } from './objects.fixture.ts'

const lingerMs = 30_000

function fixtureOf(options: WorldOptions, object: ClusterObject, known: readonly string[]): NamerFixture {
  const world = new KubernetesWorld(options)
  const { cluster } = world
  const { kind, metadata } = object
  cluster.put(object)
  return {
    namer: world.namer,
    kernel: world.kernel,
    known,
    unknown: [...known.slice(0, -1), 'nope'],
    misshapen: known.slice(1),
    settle: () => world.pass(),
    setKnown: async exists => {
      if (exists) cluster.put(object)
      else cluster.remove(kind, metadata.namespace, metadata.name)
      await world.pass()
    },
    setFailing: async isFailing => {
      if (isFailing) cluster.refuse('prod')
      else cluster.allow('prod')
      await world.pass()
    },
    opened: () => cluster.opened.length,
    passLinger: () => world.pass(lingerMs),
    dispose: async () => world.dispose(),
  }
}

const web = ['prod', 'http', 'web']

namerContract('io.l5d.k8s', async () => fixtureOf({}, sliceOf(), web))
namerContract('io.l5d.k8s.ns', async () => fixtureOf({ namespace: 'prod' }, sliceOf(), web.slice(1)))
namerContract('io.l5d.k8s.external', async () =>
  fixtureOf({ external: true }, serviceOf({ ingress: [{ ip: '192.0.2.1' }] }), web),
)
