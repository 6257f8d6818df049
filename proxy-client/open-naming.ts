// The sources of names of a proxy process: a client of the servers, with a memory on disk where one is configured.
import type { Env } from '../runtime/env.ts'
import { type InterpreterConfig, serversOf } from './interpreter-config.ts'
import type { LastGoodConfig } from './last-good/last-good-config.ts'
import { withLastGood } from './last-good/last-good-naming.ts'
import type { NamingClient } from './naming.ts'
import type { OpenNaming } from './open-routers.ts'
import { openWatchNaming } from './watch-naming.ts'

/** `worker`: which of the processes of a proxy this is, for each writes a file of its own. */
export function createOpenNaming(lastGood: LastGoodConfig | undefined, worker: number): OpenNaming {
  if (lastGood === undefined || lastGood === false) return openClient
  const { path, maxAgeSecs } = lastGood
  return async (interpreter, env) => {
    const options = { path, maxAgeMs: maxAgeSecs * 1000, servers: serversOf(interpreter), worker }
    return await withLastGood(await openClient(interpreter, env), options, env)
  }
}

/** The mesh protocol is loaded by those who speak it. */
async function openClient(interpreter: InterpreterConfig, env: Env): Promise<NamingClient> {
  if (interpreter.kind === 'nameplane') return openWatchNaming(interpreter.addresses, env)
  const { openMeshNaming } = await import('./mesh/mesh-naming.ts')
  return openMeshNaming(interpreter, env)
}
