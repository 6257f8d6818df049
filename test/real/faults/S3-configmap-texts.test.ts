// S3: people put, spoil and delete the ConfigMaps of heads, while three servers look on.
import { RealKubernetes } from '../kubernetes.fixture.ts'
import { HeadsByHand } from '../storage/configmap-by-hand.fixture.ts'
import { freshPlace, startStore } from '../storage/configmap-store.fixture.ts'
import { type OutsideRig, outsideEditsContract } from '../storage/outside-edits.fixture.ts'

async function start(): Promise<OutsideRig> {
  const kubernetes = await RealKubernetes.start()
  const place = await freshPlace(kubernetes)
  const kubeconfig = await kubernetes.namerKubeconfig()
  const open = () => startStore(kubeconfig, place)
  const servers = [open(), open(), open()] as const
  const byHand = new HeadsByHand(kubernetes.api, place)
  return {
    servers,
    put: (namespace, content) => byHand.put(namespace, content),
    remove: namespace => byHand.remove(namespace),
    removeRecord: namespace => byHand.removeAnnotations(namespace),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(servers.map(server => server[Symbol.asyncDispose]()))
      await kubernetes[Symbol.asyncDispose]()
    },
  }
}

// The API server stores no change that changes nothing; and a label that somebody adds is no edit of the dtab.
outsideEditsContract('API server', start, { sameTextIsNoEdit: true })
