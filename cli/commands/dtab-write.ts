// namerctl dtab create, update, put, delete, rollback.
import type { Command } from 'commander'
import { addWaitOptions, type WaitOptions } from '../applied.ts'
import type { CliIo } from '../cli-io.ts'
import { readDtabSource } from '../dtab-source.ts'
import { presentVersion, putDtab, restorable, sendWrite, showWritten } from '../dtab-writes.ts'
import { openSession } from '../session.ts'
import { parseVersion } from '../version-option.ts'
import { examples, messageOption } from './options.ts'

/** Adds the writing commands under `dtab`. */
export function addDtabWrites(dtab: Command, io: CliIo): void {
  addCreate(dtab, io)
  addReplace(dtab, io, 'update')
  addReplace(dtab, io, 'put')
  addDelete(dtab, io)
  addRollback(dtab, io)
  addRestore(dtab, io)
}

interface WriteOptions extends WaitOptions {
  readonly message?: string
  readonly version?: number
}

function addCreate(dtab: Command, io: CliIo): void {
  addWaitOptions(dtab.command('create'))
    .alias('new')
    .description('Create a dtab where there is none')
    .argument('<namespace>')
    .argument('<file>', 'dtab text or JSON; - for standard input')
    .option(...messageOption)
    .addHelpText(
      'after',
      examples(
        ['dtab create default web.dtab', 'from a file'],
        ["dtab create default - <<< '/svc => /#/io.l5d.fs'", 'from the command line'],
      ),
    )
    .action(async (namespace: string, file: string, { message, ...waiting }: WriteOptions, command: Command) => {
      const session = openSession(io, command)
      const source = await readDtabSource(file, io)
      await showWritten(
        session,
        `Created ${namespace}`,
        await putDtab(session, { namespace, message, source, isNew: true, waiting }),
      )
    })
}

/** `update` is the old namerctl's name for `put`. */
function addReplace(dtab: Command, io: CliIo, name: 'put' | 'update'): void {
  const command = addWaitOptions(dtab.command(name))
    .description('Replace a dtab, or create it, and show what it replaced')
    .argument('<namespace>')
    .argument('<file>', 'dtab text or JSON; - for standard input')
    .option(...messageOption)
    .option('--version <version>', 'only when this is the present version (7, or AAAAAAAAAAc=)', parseVersion)
    .addHelpText(
      'after',
      examples(
        [`dtab ${name} default web.dtab -m 'web to v2'`, 'replace, and say why'],
        [`dtab ${name} default web.dtab --version 7`, 'only if nobody wrote since version 7'],
      ),
    )
    .action(async (namespace: string, file: string, { message, version, ...waiting }: WriteOptions, self: Command) => {
      const session = openSession(io, self)
      const source = await readDtabSource(file, io)
      await showWritten(
        session,
        `Updated ${namespace}`,
        await putDtab(session, { namespace, message, version, source, waiting }),
      )
    })
  if (name === 'update') command.alias('up')
}

function addDelete(dtab: Command, io: CliIo): void {
  addWaitOptions(dtab.command('delete'))
    .aliases(['rm', 'del'])
    .description('Delete a dtab; its history stays, and a rollback restores it')
    .argument('<namespace>')
    .option(...messageOption)
    .option('--version <version>', 'only when this is the present version', parseVersion)
    .addHelpText('after', examples(['dtab delete staging', 'every name of it stops resolving at once']))
    .action(async (namespace: string, { message, version, ...waiting }: WriteOptions, command: Command) => {
      const session = openSession(io, command)
      const written = await sendWrite(session, { method: 'DELETE' }, { namespace, message, version, waiting })
      await showWritten(session, `Deleted ${namespace}`, written)
    })
}

function addRollback(dtab: Command, io: CliIo): void {
  addWaitOptions(dtab.command('rollback'))
    .description('Make an earlier version the present one, unless somebody writes meanwhile')
    .argument('<namespace>')
    .argument('<to>', 'the version to go back to; `dtab history` lists them', parseVersion)
    .option(...messageOption)
    .option('--version <version>', 'only when this is the present version; else the one found now', parseVersion)
    .addHelpText('after', examples(["dtab rollback default 6 -m 'v2 fails'", 'version 6 becomes the newest again']))
    .action(async (namespace: string, to: number, { message, version, ...waiting }: WriteOptions, command: Command) => {
      const session = openSession(io, command)
      const present = version ?? (await presentVersion(session, namespace)).version
      const request = { method: 'POST', action: 'rollback', body: JSON.stringify({ version: to }) } as const
      const written = await sendWrite(session, request, { namespace, message, version: present, waiting })
      await showWritten(session, `Rolled back ${namespace} to version ${to}`, written)
    })
}

function addRestore(dtab: Command, io: CliIo): void {
  addWaitOptions(dtab.command('restore'))
    .description('Bring a deleted dtab back as it was, unless somebody writes meanwhile')
    .argument('<namespace>')
    .option(...messageOption)
    .addHelpText(
      'after',
      examples(
        ['dtab list --deleted', 'what can be brought back'],
        ["dtab restore staging -m 'was still needed'", 'its last text becomes the newest version'],
      ),
    )
    .action(async (namespace: string, { message, ...waiting }: WriteOptions, command: Command) => {
      const session = openSession(io, command)
      const { version, text } = await restorable(session, namespace)
      const request = { method: 'POST', action: 'rollback', body: JSON.stringify({ version: text }) } as const
      const written = await sendWrite(session, request, { namespace, message, version, waiting })
      await showWritten(session, `Restored ${namespace} as it was in version ${text}`, written)
    })
}
