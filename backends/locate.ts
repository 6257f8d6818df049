// Says where a real backend is on this machine: the tests and benchmarks start it from there. Makes nothing.
import { join } from 'node:path'
import { BackendError } from './backend-error.ts'
import { cacheFolder, goBuildHash, wheelHash } from './cache.ts'
import { type AnyBackend, type BackendName, backends, type SystemTool, systemTools } from './catalogue.ts'
import { readGoVersion } from './go-toolchain.ts'
import { findProgram, isExecutable, isWantedProgram } from './program.ts'

export interface Located {
  readonly path: string
  /** `path`: found on the PATH in the wanted version. `cache`: made by `npm run backends`. */
  readonly from: 'path' | 'cache'
}

const known = new Map<BackendName, Located>()

/** Absolute path of the backend's program in the one wanted version. Throws a BackendError that says how to get it. */
export function locateBackend(name: BackendName): string {
  const located = findBackend(name)
  if (located === undefined) throw new BackendError(`${name} is missing. Get it with: npm run backends -- ${name}`)
  return located.path
}

/** Absolute path of a program that Debian has, in any version. Throws a BackendError that says how to get it. */
export function locateTool(command: SystemTool): string {
  const path = findProgram(command)
  if (path === undefined) throw new BackendError(`${command} is missing. Get it with: npm run backends -- ${command}`)
  return path
}

/** As `locateBackend`, but absent when it is not there. Throws a BackendError when there is no Go to name its build by. */
export function findBackend(name: BackendName): Located | undefined {
  const located = known.get(name) ?? search(backendNamed(name))
  if (located !== undefined) known.set(name, located)
  return located
}

/** What of this machine the real tests cannot do without and have not got, by name. */
export function missingBackends(): readonly string[] {
  return [
    ...systemTools.filter(({ command }) => findProgram(command) === undefined).map(({ command }) => command),
    ...backends.filter(({ name }) => findBackend(name) === undefined).map(({ name }) => name),
  ]
}

/** The folder of the cache that is, or will be, the backend's. It exists only when it is complete. */
export function cacheEntry(backend: AnyBackend): string {
  const hash = backend.kind === 'wheel' ? wheelHash(backend) : goBuildHash(backend, readGoVersion(backend))
  return join(cacheFolder(), hash)
}

export function backendNamed(name: BackendName): AnyBackend {
  const backend = backends.find(candidate => candidate.name === name)
  if (backend === undefined) throw new Error(`${name} is in the list of names but not in the catalogue`)
  return backend
}

function search(backend: AnyBackend): Located | undefined {
  const installed = findProgram(backend.name)
  if (installed !== undefined && isWantedProgram(installed, backend)) return { path: installed, from: 'path' }
  const cached = join(cacheEntry(backend), backend.name)
  return isExecutable(cached) ? { path: cached, from: 'cache' } : undefined
}
