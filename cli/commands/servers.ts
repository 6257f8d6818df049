// namerctl servers: who shares the store, who replies, and where they differ.
import type { Command } from 'commander'
import { type ServerList, serverList } from '../answers.ts'
import { CliError } from '../cli-error.ts'
import type { CliIo } from '../cli-io.ts'
import { ask } from '../dtab-writes.ts'
import { blindText, serverLines } from '../server-text.ts'
import { openSession } from '../session.ts'
import { examples } from './options.ts'

const serversHelp = `
Servers that share a store follow each other. * marks the one that answers. NAMESPACES are those that a server knows of; of
one that does not reply, those that it knew of last. That two go by different versions of a dtab is normal for a moment;
after five seconds it is shown here, logged by each server and counted in nameplane_replicas_disagree.

Exit codes: 0, with --check 1 when a server does not reply, servers differ, or the store does not say who is present.`

/** Adds `servers`. */
export function addServers(program: Command, io: CliIo): void {
  program
    .command('servers')
    .description('Show the servers that share the store, and where they differ')
    .option('--check', 'exit code 1 when a server does not reply, servers differ or some may be unknown')
    .addHelpText(
      'after',
      `${examples(['servers', 'who there is'], ['servers --check', 'for scripts: are all well?'])}\n${serversHelp}`,
    )
    .action(async ({ check }: { readonly check?: true }, command: Command) => {
      const session = openSession(io, command)
      const list = await ask(session, undefined, () => session.client.json(serverList, { path: ['api', 'servers'] }))
      session.show(list, () => serverLines(list, session.paint))
      const troubles = troublesOf(list)
      if (check && troubles.length > 0) throw new CliError(1, troubles.join('; '))
    })
}

function troublesOf({ servers, disagreementCount, stale }: ServerList): readonly string[] {
  const silent = servers.filter(({ replies }) => !replies).length
  return [
    ...(silent > 0 ? [`${silent} of ${servers.length} servers ${silent === 1 ? 'does' : 'do'} not reply`] : []),
    ...(stale === undefined ? [] : [blindText(stale)]),
    ...(disagreementCount > 0 ? [`servers differ about ${counted(disagreementCount)}`] : []),
  ]
}

function counted(dtabs: number): string {
  return dtabs === 1 ? '1 dtab' : `${dtabs} dtabs`
}
