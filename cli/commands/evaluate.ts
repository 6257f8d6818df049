// namerctl bind, resolve, delegate: what a name means now, where it leads, and why.
import type { Command } from 'commander'
import { pause } from '../../watch/pause.ts'
import { type Evaluation, evaluation, type TreeAnswer } from '../answers.ts'
import { RefusedError, type Request } from '../api-client.ts'
import { CliError } from '../cli-error.ts'
import type { CliIo } from '../cli-io.ts'
import { cliErrorOf } from '../problem-text.ts'
import { openSession, type Session } from '../session.ts'
import { createPaint, type Paint } from '../styles.ts'
import { addrText, boundLines, endpointTexts, explanationLines } from '../tree-text.ts'
import { followStream } from '../watch-stream.ts'
import { examples, parseSeconds } from './options.ts'

/** Between two questions for a name that is not known yet, in milliseconds. */
const askAgainMs = 100

type Verb = 'bind' | 'resolve' | 'delegate'

interface EvaluateOptions {
  readonly namespace: string
  readonly dtab?: string
  readonly watch?: true
  /** In seconds. */
  readonly wait: number
}

/** Adds the commands at the top level. */
export function addEvaluation(program: Command, io: CliIo): void {
  addVerb(program, io, 'bind', 'Show the tree that a name is bound to, with its endpoints')
    .option('-w, --watch', 'and each newer one, until interrupted')
    .addHelpText(
      'after',
      examples(['bind /svc/web', 'in the namespace default'], ['bind /svc/web -n staging -w', 'follow it']),
    )
  addVerb(program, io, 'resolve', 'Show the endpoints of a name, one per line')
    .option('-w, --watch', 'and each newer set, until interrupted')
    .addHelpText('after', examples(['resolve /svc/web', 'where requests would go']))
  addVerb(program, io, 'delegate', 'Explain a name: every alternative, and the rule that led there').addHelpText(
    'after',
    examples(
      ['delegate /svc/web', 'why it goes where it goes; > marks the way taken'],
      ["delegate /svc/web --dtab '/svc => /#/io.l5d.fs/v2'", 'what if this rule were added'],
    ),
  )
}

function addVerb(program: Command, io: CliIo, verb: Verb, description: string): Command {
  return program
    .command(verb)
    .description(description)
    .argument('<path>', 'such as /svc/web')
    .option('-n, --namespace <namespace>', 'whose dtab', 'default')
    .option('--dtab <dtab>', 'a local dtab, added at the end so that it wins')
    .option('--wait <seconds>', 'how long for a name that its backend was never asked for before', parseSeconds, 2)
    .action((path: string, options: EvaluateOptions, command: Command) =>
      evaluate(openSession(io, command), verb, path, options),
    )
}

async function evaluate(session: Session, verb: Verb, path: string, options: EvaluateOptions): Promise<void> {
  const { namespace, dtab, watch } = options
  const request = { path: ['api', verb, namespace], query: { path, dtab } }
  try {
    if (watch) await follow(session, verb, request)
    else await answer(session, verb, path, await ask(session, request, options.wait))
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error
    const isDtab = error.problem.at === 'dtab' || error.problem.code === 'bad-dtab'
    const subject = isDtab ? { text: dtab, source: '--dtab' } : { text: path, source: 'PATH' }
    const evaluated = verb === 'delegate' ? undefined : path
    throw cliErrorOf(error.problem, { namespace, evaluated, ...subject }, createPaint(session.io, 'stderr'))
  }
}

interface Asked {
  readonly request: Request
  readonly found: Evaluation
}

/** Asks again while the backend is still being asked for the first time: a name that nobody watches is pending at first. */
async function ask({ client, io }: Session, request: Request, waitSeconds: number): Promise<Asked> {
  const until = io.clock.monotonic() + waitSeconds * 1000
  for (;;) {
    const found = await client.json(evaluation, request)
    const isLast = found.pending === undefined || io.interrupted.aborted || io.clock.monotonic() >= until
    if (isLast) return { request, found }
    await pause(io.clock, askAgainMs, io.interrupted)
  }
}

async function answer(session: Session, verb: Verb, path: string, { request, found }: Asked): Promise<void> {
  const isUnknown = verb !== 'delegate' && (found.tree?.type === 'neg' || found.addr?.type === 'neg')
  const isAnswer = !isUnknown && found.pending === undefined
  for (const remark of remarksOn(found, request)) session.remark(remark)
  session.show(found, () => (isAnswer ? linesOf(verb, found, session.paint) : []))
  if (found.pending !== undefined)
    throw new CliError(1, `${path} is not known yet: it waits for ${found.pending.waitingFor ?? 'a source'}; try again`)
  if (isUnknown) throw new CliError(4, `there is no name ${path}: \`namerctl delegate ${path}\` shows where it ends`)
}

async function follow(session: Session, verb: Verb, request: Request): Promise<void> {
  const onEvent = (
    event: Evaluation & { readonly problem?: { readonly detail?: string | undefined } | undefined },
  ): void => {
    if (session.form !== 'table') session.say(JSON.stringify(event))
    else if (event.problem !== undefined) session.say(`# ${event.problem.detail ?? 'the server cannot tell'}`)
    else session.say(`# version ${event.dtabVersion}`, ...linesOf(verb, event, session.paint))
  }
  await followStream(session, { request, onEvent })
}

function remarksOn({ namespaceExists, namespace, stale }: Evaluation, { query }: Request): string[] {
  const remarks: string[] = []
  if (namespaceExists === false) {
    const what = query?.dtab === undefined ? 'it has no rules' : 'only the local dtab counts'
    remarks.push(`# the namespace ${namespace} does not exist: ${what}`)
  }
  if (stale !== undefined) remarks.push(`# stale since ${stale.since}: ${stale.reason}`)
  return remarks
}

function linesOf(verb: Verb, { tree, addr, pending }: Evaluation, paint: Paint): readonly string[] {
  if (pending !== undefined) return [`# not known yet: waiting for ${pending.waitingFor ?? 'a source'}`]
  if (tree !== undefined) return treeLines(verb, tree, paint)
  if (addr === undefined) return []
  return addr.type === 'bound' && addr.addrs?.length ? endpointTexts(addr) : [`# ${addrText(addr)}`]
}

function treeLines(verb: Verb, tree: TreeAnswer, paint: Paint): readonly string[] {
  return verb === 'delegate' ? explanationLines(tree, paint) : boundLines(tree)
}
