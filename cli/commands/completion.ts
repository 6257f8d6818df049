// namerctl completion: scripts for shells, made from the commands themselves. Namespaces and sources are asked of the server.
import { Argument, type Command } from 'commander'
import { usageError } from '../cli-error.ts'
import type { CliIo } from '../cli-io.ts'
import { examples } from './options.ts'

const shells = ['bash', 'zsh', 'fish'] as const

/** Adds `completion`; it has to come last, so that it knows every other command. */
export function addCompletion(program: Command, io: CliIo): void {
  program
    .command('completion')
    .description('Print a script that completes commands, options, namespaces and sources')
    .addArgument(new Argument('<shell>').choices(shells))
    .addHelpText(
      'after',
      examples(
        ['completion bash > /etc/bash_completion.d/namerctl', 'for every bash'],
        ['completion fish > ~/.config/fish/completions/namerctl.fish', 'for your fish'],
      ),
    )
    .action((shell: string) => io.stdout(scriptFor(shell, wordsOf(program))))
}

/** What may follow `words`, without the program's name. */
interface Completion {
  readonly words: string
  readonly commands: readonly string[]
  readonly options: readonly string[]
  /** The command that lists what the first argument may be. */
  readonly listing: string | undefined
}

function wordsOf(command: Command, words: readonly string[] = []): Completion[] {
  const globals = words.length === 0 ? [] : ['--base-url', '--output', '--help']
  const own = command.options.flatMap(option => option.long ?? [])
  const completion = {
    words: words.join(' '),
    commands: command.commands.map(child => child.name()),
    options: [...new Set([...own, ...globals])],
    listing: listings[command.registeredArguments[0]?.name() ?? ''],
  }
  return [completion, ...command.commands.flatMap(child => wordsOf(child, [...words, child.name()]))]
}

function scriptFor(shell: string, completions: readonly Completion[]): string {
  if (shell === 'bash') return bashScript(completions)
  if (shell === 'zsh')
    return `#compdef namerctl\nautoload -U +X bashcompinit && bashcompinit\n${bashScript(completions)}`
  if (shell === 'fish') return fishScript(completions)
  throw usageError(`no completion for ${shell}: bash, zsh and fish have one`)
}

const listings: Readonly<Record<string, string>> = {
  namespace: 'namerctl dtab list 2>/dev/null',
  source: 'namerctl sources list --ids 2>/dev/null',
}

function bashScript(completions: readonly Completion[]): string {
  const cases = completions.map(({ words, commands, options, listing }) => {
    const names = listing === undefined ? '' : ` $(${listing})`
    return `    "${words}") words="${[...commands, ...options].join(' ')}${names}" ;;`
  })
  const groups = completions.filter(({ words, commands }) => words !== '' && commands.length > 0)
  const groupPattern = groups.map(({ words }) => words).join('|')
  return `_namerctl() {
  local i path="" words=""
  for ((i = 1; i < COMP_CWORD && i <= 2; i++)); do
    case "\${COMP_WORDS[i]}" in -*) break ;; esac
    [ "$i" = 2 ] && case "$path" in ${groupPattern}) ;; *) break ;; esac
    path="\${path:+$path }\${COMP_WORDS[i]}"
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
  [ \${#COMPREPLY[@]} -eq 0 ] && COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _namerctl namerctl
`
}

function fishScript(completions: readonly Completion[]): string {
  const lines = completions.flatMap(({ words, commands, options, listing }) => {
    const labels = words.split(' ').filter(word => word !== '')
    const isHere = labels.map(word => `__fish_seen_subcommand_from ${word}`)
    if (commands.length > 0) isHere.push(`not __fish_seen_subcommand_from ${commands.join(' ')}`)
    const condition = isHere.join('; and ')
    const complete = (what: string): string => `complete -c namerctl -n '${condition}' ${what}`
    return [
      ...(commands.length > 0 ? [complete(`-f -a '${commands.join(' ')}'`)] : []),
      ...options.map(option => complete(`-l ${option.replace(/^--/, '')}`)),
      ...(listing === undefined ? [] : [complete(`-a '(${listing})'`)]),
    ]
  })
  return `${lines.join('\n')}\n`
}
