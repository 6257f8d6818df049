// namerd's kind `io.l5d.etcd` kept its dtabs in etcd v2, which v3 does not see: a server that was moved without them would
// serve nothing and say so to nobody.
import type { EtcdCluster } from '../../clients/etcd/cluster.ts'
import { NamingError } from '../../naming/errors.ts'
import type { Env } from '../../runtime/env.ts'
import { etcdFailure } from './etcd-failure.ts'
import { Layout } from './layout.ts'

/** The longest that a start is held up by an etcd that does not answer. */
const heldUpMs = 500

/**
 * Rejects with bad-config when etcd answers and has no namespace below the prefix. One that is away, or slow, holds back no
 * start: what it says later stands in the log.
 */
export async function refuseEmpty(
  cluster: EtcdCluster,
  pathPrefix: string,
  { clock, log }: Pick<Env, 'clock' | 'log'>,
): Promise<void> {
  const { promise: begin, resolve, reject } = Promise.withResolvers<void>()
  let isHeldUp = true
  const go = (): void => {
    isHeldUp = false
    resolve()
  }
  const cancel = clock.after(heldUpMs, go)
  findTrouble(cluster, pathPrefix)
    .then(trouble => {
      cancel()
      if (trouble === undefined) go()
      else if (trouble.code === 'bad-config' && isHeldUp) reject(trouble)
      else {
        log.warn({ error: trouble.message }, 'io.l5d.etcd was started without knowing that etcd holds any dtabs')
        go()
      }
    })
    .catch(reject)
  await begin
}

/** bad-config when there is nothing, or why that could not be looked up; undefined when all is well. */
async function findTrouble(cluster: EtcdCluster, pathPrefix: string): Promise<NamingError | undefined> {
  const { key, end } = new Layout(pathPrefix).followed
  try {
    const { entries } = await cluster.range({ key, end, limit: 1, keysOnly: true })
    return entries.length === 0 ? nothingThere(pathPrefix) : undefined
  } catch (error) {
    return etcdFailure(error)
  }
}

function nothingThere(pathPrefix: string): NamingError {
  return new NamingError(
    'bad-config',
    `io.l5d.etcd now speaks etcd's v3 API, and there is nothing below ${pathPrefix}/ there; dtabs that namerd kept in etcd v2 are not seen. Bring them with: namerctl export namerd.ndjson --from NAMERD_URL, then namerctl import namerd.ndjson. To begin with nothing, or to import: allowEmpty: true`,
  )
}
