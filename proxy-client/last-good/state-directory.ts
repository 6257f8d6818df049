// Where a proxy that is not told otherwise keeps its last good state: what systemd gives it, else the user's own directory
// for state, below it one for each port that a proxy listens on.
import { homedir } from 'node:os'
import { join } from 'node:path'

export interface ListeningServer {
  readonly ip: string
  readonly port: number
}

type Variables = Readonly<Record<string, string | undefined>>

/** undefined for a proxy on ports that the system chooses: it would not be known again. */
export function stateDirectoryOf(servers: readonly ListeningServer[], variables: Variables): string | undefined {
  const fixed = servers.find(({ port }) => port !== 0)
  if (fixed === undefined) return undefined
  const given = variables.STATE_DIRECTORY?.split(':')[0]
  if (given !== undefined && given !== '') return join(given, nameOf(fixed))
  const base = variables.XDG_STATE_HOME || join(homedir(), '.local', 'state')
  return join(base, 'nameplane', nameOf(fixed))
}

function nameOf({ ip, port }: ListeningServer): string {
  return `proxy-${ip.replaceAll(':', '_')}-${port}`
}
