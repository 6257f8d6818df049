#!/usr/bin/env node
// The nameplane command: hands the arguments to the part that is asked for, which is loaded only then.
import './check-node.mjs'
import module from 'node:module'
import type { ConfigChecks } from '../runtime/check-command.ts'

module.enableCompileCache()

const help = `Usage: nameplane COMMAND [ARGUMENTS]

  dev                    a server, a thin proxy and demo services, to see traffic move in a minute
  serve [config.yaml]    the naming server
  proxy [config.yaml]    the thin proxy
  check config.yaml      look for mistakes in a configuration of a server or a proxy
  backup FILE            copy a server's SQLite database while it runs

nameplane COMMAND --help tells more. Dtabs are edited with namerctl.
`

const commands: Readonly<Record<string, () => Promise<(argv: readonly string[]) => Promise<number>>>> = {
  serve: async () => (await import('../server/serve.ts')).runServe,
  check: async () => {
    const { runCheck } = await import('../runtime/check-command.ts')
    return argv => runCheck(argv, checks)
  },
  backup: async () => (await import('../server/backup.ts')).runBackup,
  dev: async () => (await import('../server/dev.ts')).runDev,
  'demo-web': async () => (await import('../server/demo-web.ts')).runDemoWeb,
  proxy: async () => (await import('../proxy-client/command.ts')).runProxy,
}

const checks: ConfigChecks = {
  server: async document => (await import('../server/compose.ts')).loadServerPlan(document),
  proxy: async document => (await import('../proxy-client/check-config.ts')).checkProxyConfig(document),
}

async function main(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv
  if (name === '--version' || name === '-V') {
    process.stdout.write(`${(await import('../runtime/version.ts')).version}\n`)
    return 0
  }
  const isHelp = name === '--help' || name === '-h' || name === 'help'
  const load = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined
  if (load !== undefined) return await (await load())(rest)
  if (isHelp) process.stdout.write(help)
  else process.stderr.write(name === undefined ? help : `nameplane: no command "${name}"\n\n${help}`)
  return isHelp ? 0 : 2
}

process.exit(await main(process.argv.slice(2)))
