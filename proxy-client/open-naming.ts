// The sources of names of a proxy process: the watch client, with a memory on disk where one is configured.
import type { LastGoodConfig } from './last-good/last-good-config.ts'
import { withLastGood } from './last-good/last-good-naming.ts'
import type { OpenNaming } from './open-routers.ts'
import { openWatchNaming } from './watch-naming.ts'

/** `worker`: which of the processes of a proxy this is, for each writes a file of its own. */
export function createOpenNaming(lastGood: LastGoodConfig | undefined, worker: number): OpenNaming {
  if (lastGood === undefined || lastGood === false) return openWatchNaming
  const { path, maxAgeSecs } = lastGood
  return (servers, env) =>
    withLastGood(openWatchNaming(servers, env), { path, maxAgeMs: maxAgeSecs * 1000, servers, worker }, env)
}
