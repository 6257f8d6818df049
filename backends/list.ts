// The table of `npm run backends -- --list`: what is here, where, and in which version.
import { spawnSync } from 'node:child_process'
import { BackendError } from './backend-error.ts'
import { type AnyBackend, backends, systemTools } from './catalogue.ts'
import { findBackend } from './locate.ts'
import { findProgram } from './program.ts'

type Row = readonly [name: string, version: string, place: string]

/** One line per program, in columns. */
export function formatList(): string {
  const rows = [...backends.map(backendRow), ...systemTools.map(toolRow)]
  const [nameWidth, versionWidth] = [0, 1].map(column => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  const lines = rows.map(([name, version, place]) =>
    [name.padEnd(nameWidth ?? 0), version.padEnd(versionWidth ?? 0), place].join('  '),
  )
  return `${lines.join('\n')}\n`
}

function backendRow({ name, version }: AnyBackend): Row {
  try {
    const located = findBackend(name)
    if (located === undefined) return [name, version, 'missing']
    return [name, version, located.from === 'path' ? `${located.path} (on the PATH)` : located.path]
  } catch (error) {
    if (error instanceof BackendError) return [name, version, `missing: ${error.message.split('\n')[0]}`]
    throw error
  }
}

function toolRow({ command, askVersion }: (typeof systemTools)[number]): Row {
  const path = findProgram(command)
  if (path === undefined) return [command, 'any', 'missing']
  const { stdout, stderr } = spawnSync(path, [askVersion], { encoding: 'utf8' })
  return [command, /\d+(\.\d+)+/.exec(`${stdout}${stderr}`)?.[0] ?? 'unknown', path]
}
