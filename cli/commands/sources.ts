// namerctl sources list, show, release: the backends that names come from, and what to do when one loses its names.
import { type Command, Option } from 'commander'
import { releaseResult, sourceList, sourcePage } from '../answers.ts'
import type { CliIo } from '../cli-io.ts'
import { ask } from '../dtab-writes.ts'
import { openSession } from '../session.ts'
import { counted, sourceLines, sourcePageLines } from '../source-text.ts'
import { countUpTo, examples } from './options.ts'

const statesHelp = `
A source is one backend: a configured namer, the store, or DNS. Its state is
  ok        everything that is followed has answered
  pending   nothing has answered yet
  degraded  some names fail; their last good endpoints are served meanwhile
  held      very many names lost their endpoints at once, which is held back: look before you release it
  idle      nobody watches a name of it
AGE is that of the oldest data, REASON the most frequent error.`

const heldHelp = `
When more than a set share of a source's names go empty at once, the backend is more often wrong than right: a catalogue
that was wiped, an agent that restarted without its state, a selector that was mistyped. The server then keeps the last
good endpoints, marks them stale and says "held". Look at the backend first. If it mends, the names come back by
themselves. If the loss is real, release it: the names go empty for every proxy, at once.`

/** Adds `sources` with its subcommands; alone it lists. */
export function addSources(program: Command, io: CliIo): void {
  const sources = program
    .command('sources')
    .description('Show the backends that names come from, and release losses that are held back')
    .addHelpText(
      'after',
      `${examples(
        ['sources', 'the state of every backend'],
        ['sources show io.l5d.consul --state held', 'the mass-empty alarm: which names?'],
        ['sources release io.l5d.consul', 'the loss is real: publish it'],
      )}\n${statesHelp}\n${heldHelp}`,
    )
  addList(sources, io)
  addShow(sources, io)
  addRelease(sources, io)
}

function addList(sources: Command, io: CliIo): void {
  sources
    .command('list', { isDefault: true })
    .alias('ls')
    .description('List the sources with their states')
    .option('--ids', 'only the ids, one per line')
    .addHelpText(
      'after',
      `${examples(['sources list', 'which backend is in trouble, and why'], ['sources list --ids', 'for scripts'])}\n${statesHelp}`,
    )
    .action(async (options: { readonly ids?: true }, command: Command) => {
      const session = openSession(io, command)
      const list = await ask(session, undefined, () => session.client.json(sourceList, { path: ['api', 'sources'] }))
      session.show(list, () =>
        options.ids ? list.sources.map(({ id }) => id) : sourceLines(list.sources, session.paint),
      )
    })
}

interface ShowOptions {
  readonly state?: string
  readonly after?: string
  readonly limit: number
}

function addShow(sources: Command, io: CliIo): void {
  sources
    .command('show')
    .alias('get')
    .description('Show a source with its names, sorted')
    .argument('<source>', 'its id, as `sources list` shows it')
    .addOption(new Option('--state <state>', 'only names in it').choices(['ok', 'pending', 'stale', 'failed', 'held']))
    .option('--after <name>', 'only names after this one')
    .option('--limit <count>', 'at most so many names, up to 1000', countUpTo(1_000), 100)
    .addHelpText(
      'after',
      examples(
        ['sources show io.l5d.consul', 'its names, each with the age of its data'],
        ['sources show io.l5d.consul --state failed', 'what has never answered'],
        ['sources show io.l5d.consul --state held', 'whose loss is held back'],
      ),
    )
    .action(async (source: string, { state, after, limit }: ShowOptions, command: Command) => {
      const session = openSession(io, command)
      const request = { path: ['api', 'sources', source], query: { state, after, limit } }
      const page = await ask(session, undefined, () => session.client.json(sourcePage, request))
      session.show(page, () => sourcePageLines(page, session.paint))
    })
}

function addRelease(sources: Command, io: CliIo): void {
  sources
    .command('release')
    .description('Publish the losses that a source holds back')
    .argument('<source>', 'its id, as `sources list` shows it')
    .option('-m, --message <text>', "why; it stands in the server's log")
    .addHelpText(
      'after',
      `${examples(
        ['sources show io.l5d.consul --state held', 'first look: which names, since when?'],
        ["sources release io.l5d.consul -m 'dc1 is switched off'", 'the loss is real: every proxy learns of it now'],
      )}\n${heldHelp}`,
    )
    .action(async (source: string, { message }: { readonly message?: string }, command: Command) => {
      const session = openSession(io, command)
      const path = ['api', 'sources', source, 'release']
      const result = await ask(session, undefined, () =>
        session.client.json(releaseResult, { method: 'POST', path, query: { message } }),
      )
      const { id, released } = result
      session.show(result, () => [
        released === 0 ? `Nothing is held in ${id}` : `Released ${counted(released)} of ${id}`,
      ])
    })
}
