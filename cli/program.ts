// The commands of namerctl put together.
import { Command, Option } from 'commander'
import { version } from '../runtime/version.ts'
import { defaultBaseUrl } from './base-url.ts'
import type { CliIo } from './cli-io.ts'
import { addCompletion } from './commands/completion.ts'
import { addDtabEdit } from './commands/dtab-edit.ts'
import { addDtabReads } from './commands/dtab-read.ts'
import { addDtabWatch } from './commands/dtab-watch.ts'
import { addDtabWrites } from './commands/dtab-write.ts'
import { addEvaluation } from './commands/evaluate.ts'
import { addExport } from './commands/export.ts'
import { addImport } from './commands/import.ts'
import { examples } from './commands/options.ts'
import { addProxies } from './commands/proxies.ts'
import { addProxy } from './commands/proxy.ts'
import { addServers } from './commands/servers.ts'
import { addSources } from './commands/sources.ts'
import { outputForms } from './session.ts'

const serverHelp = `
The server is the first of these that is given: --base-url, the environment variable NAMERCTL_BASE_URL, the key base-url
in a .namerctl.yaml (in this directory, one above it, or the home directory), ${defaultBaseUrl}.

Exit codes: 0 done, 1 refused or failed, 2 usage, 3 precondition failed, 4 not found.`

/** A program that writes through `io` and never exits the process. */
export function createProgram(io: CliIo): Command {
  const program = new Command('namerctl')
    .description('Reads and changes the dtabs of a Nameplane server, and explains where names lead.')
    .version(version, '-V')
    .option('--base-url <url>', `the server's HTTP API, such as ${defaultBaseUrl}`)
    .option('--config <file>', 'a configuration file in place of .namerctl.yaml')
    .addOption(new Option('-o, --output <form>', 'form of output').choices(outputForms).default('table'))
    .addHelpText(
      'after',
      `${examples(
        ['dtab list', 'what there is'],
        ['dtab get default', 'the rules of one namespace'],
        ['dtab edit default', 'change them'],
        ['delegate /svc/web', 'why a name leads where it leads'],
        ['sources', 'how the backends are, and how old their data is'],
        ['servers', 'who shares the store, and whether all go by the same rules'],
        ['proxies', 'who is connected, and who does not go by the newest rules'],
        ['proxy', 'how the proxy on this machine does'],
      )}\n${serverHelp}`,
    )
  // Settings come before the commands, which inherit them.
  program
    .exitOverride()
    .configureOutput({
      writeOut: io.stdout,
      writeErr: io.stderr,
      outputError: (text, write) => write(`namerctl: ${text.replace(/^error: /, '')}`),
    })
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(--help shows how it is used)')
  const dtab = program.command('dtab').description('List, show, change and follow dtabs')
  addDtabReads(dtab, io)
  addDtabWrites(dtab, io)
  addDtabEdit(dtab, io)
  addDtabWatch(dtab, io)
  addEvaluation(program, io)
  addServers(program, io)
  addProxies(program, io)
  addSources(program, io)
  addProxy(program, io)
  addExport(program, io)
  addImport(program, io)
  addCompletion(program, io)
  return program
}
