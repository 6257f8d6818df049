// Looks for programs on the PATH and asks them for their version.
import { spawnSync } from 'node:child_process'
import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import type { AnyBackend } from './catalogue.ts'
import { findVersion } from './version.ts'

/** Where daemons are on Debian: not on the PATH of ordinary users. */
const daemonFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin']

/** Absolute path of the first executable file of that name on the PATH, or where daemons are. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(isAbsolute), ...daemonFolders]
  return folders.map(folder => join(folder, name)).find(isExecutable)
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false // whatever the reason, it cannot be run from here
  }
}

/** Whether the file at `path` is the wanted release itself; a script that starts one would get its signals, so it is not. */
export function isWantedProgram(path: string, { version, askVersion }: AnyBackend): boolean {
  if (!isExecutable(path) || isScript(path)) return false
  const { stdout, stderr } = spawnSync(path, askVersion, { encoding: 'utf8', timeout: 20_000 })
  return findVersion(stdout ?? '') === version || findVersion(stderr ?? '') === version
}

function isScript(path: string): boolean {
  const file = openSync(path, 'r')
  try {
    const start = Buffer.alloc(2)
    readSync(file, start)
    return start.toString('latin1') === '#!'
  } finally {
    closeSync(file)
  }
}
