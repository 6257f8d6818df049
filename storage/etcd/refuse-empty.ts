// namerd's kind `io.l5d.etcd` kept its dtabs in etcd v2, which v3 does not see: a server that was moved without them would
// serve nothing and say so to nobody.
import type { EtcdCluster } from '../../clients/etcd/cluster.ts'
import { NamingError } from '../../naming/errors.ts'
import type { Log } from '../../runtime/log.ts'
import { etcdFailure } from './etcd-failure.ts'
import { Layout } from './layout.ts'

const withinMs = 2000

/** Rejects with bad-config when etcd answers and has no namespace below the prefix. One that does not answer holds back no start. */
export async function refuseEmpty(cluster: EtcdCluster, pathPrefix: string, log: Log): Promise<void> {
  const { key, end } = new Layout(pathPrefix).followed
  let isEmpty: boolean
  try {
    const { entries } = await cluster.range({ key, end, limit: 1, keysOnly: true }, withinMs)
    isEmpty = entries.length === 0
  } catch (error) {
    const { message } = etcdFailure(error)
    log.warn({ error: message }, 'whether etcd holds any dtabs could not be looked up; starting all the same')
    return
  }
  if (!isEmpty) return
  throw new NamingError(
    'bad-config',
    `io.l5d.etcd now speaks etcd's v3 API, and there is nothing below ${pathPrefix}/ there; dtabs that namerd kept in etcd v2 are not seen. Bring them with: namerctl export --from NAMERD_URL > dtabs.json, then namerctl import dtabs.json. To begin with nothing, or to import: allowEmpty: true`,
  )
}
