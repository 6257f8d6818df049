// The hosts file of this machine.
import { readFile, stat } from 'node:fs/promises'
import type { HostsFile } from './hosts-file.ts'

/** Opens nothing until it is read. */
export function createSystemHosts(path = '/etc/hosts'): HostsFile {
  return { path, stamp: () => stampOf(path), read: () => readFile(path, 'utf8') }
}

async function stampOf(path: string): Promise<string | undefined> {
  try {
    const { mtimeMs, size, ino } = await stat(path)
    return `${mtimeMs} ${size} ${ino}`
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
