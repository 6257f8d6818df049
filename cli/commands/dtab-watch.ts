// namerctl dtab watch: each newer version of a dtab as it comes.
import type { Command } from 'commander'
import type { WatchEvent } from '../answers.ts'
import type { CliIo } from '../cli-io.ts'
import { alignedDtab } from '../dtab-text.ts'
import { ask } from '../dtab-writes.ts'
import { openSession } from '../session.ts'
import { followStream } from '../watch-stream.ts'
import { examples } from './options.ts'

/** Adds `watch` under `dtab`. */
export function addDtabWatch(dtab: Command, io: CliIo): void {
  dtab
    .command('watch')
    .description('Show a dtab, and each newer version as it comes, until interrupted')
    .argument('<namespace>')
    .addHelpText(
      'after',
      examples(['dtab watch default', 'follow the changes'], ['dtab watch default -o json', 'one JSON event per line']),
    )
    .action(async (namespace: string, _: object, command: Command) => {
      const session = openSession(io, command)
      const onEvent = (event: WatchEvent): void => {
        if (session.form === 'table') io.stdout(eventText(namespace, event))
        else session.say(JSON.stringify(event))
      }
      const request = { path: ['api', 'dtabs', namespace] }
      await ask(session, namespace, () => followStream(session, { request, onEvent }))
    })
}

function eventText(namespace: string, event: WatchEvent): string {
  const { type, dtabVersion, dtab, author, time, problem, pending } = event
  if (type === 'deleted')
    return dtabVersion === 0 ? `# ${namespace} does not exist\n` : `# version ${dtabVersion}: ${namespace} is deleted\n`
  if (problem !== undefined) return `# ${problem.detail ?? problem.title ?? 'the server cannot tell'}\n`
  if (pending !== undefined || dtab === undefined) return `# not known yet: ${pending?.waitingFor ?? 'waiting'}\n`
  return `# version ${dtabVersion}, written by ${author} at ${time}\n${alignedDtab(dtab)}`
}
