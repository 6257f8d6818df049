// Where a proxy that is not told otherwise keeps its last good state: what systemd gives it, else the user's own directory
// for state, below it one for each port that a proxy listens on.
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

export interface ListeningServer {
  readonly ip: string
  readonly port: number
}

type Variables = Readonly<Record<string, string | undefined>>

/** undefined for a proxy on ports that the system chooses, which would not be known again, and for a user without a home. */
export function stateDirectoryOf(
  servers: readonly ListeningServer[],
  variables: Variables,
  home: () => string = homedir,
): string | undefined {
  const fixed = servers.find(({ port }) => port !== 0)
  if (fixed === undefined) return undefined
  const given = variables.STATE_DIRECTORY?.split(':')[0]
  if (given !== undefined && given !== '') return join(given, nameOf(fixed))
  const base = userState(variables, home)
  return base === undefined ? undefined : join(base, 'nameplane', nameOf(fixed))
}

/** A relative XDG_STATE_HOME does not count, by its specification. */
function userState({ XDG_STATE_HOME: given = '' }: Variables, home: () => string): string | undefined {
  if (isAbsolute(given)) return given
  try {
    return join(home(), '.local', 'state')
  } catch {
    return undefined // the system knows no user of this id, as in many a container
  }
}

function nameOf({ ip, port }: ListeningServer): string {
  return `proxy-${ip.replaceAll(':', '_')}-${port}`
}
