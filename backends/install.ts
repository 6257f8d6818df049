// `npm run backends`: gives a machine the real backends that the tests and benchmarks run against.
import { constants } from 'node:os'
import { dirname } from 'node:path'
import { BackendError } from './backend-error.ts'
import { cacheFolder } from './cache.ts'
import { fillEntry, listEntries, removeEntry, removePartialFolders, staleEntries, touchEntry } from './cache-entry.ts'
import { lockCache } from './cache-lock.ts'
import type { AnyBackend } from './catalogue.ts'
import { helpText } from './help.ts'
import { formatList } from './list.ts'
import { cacheEntry, findBackend } from './locate.ts'
import { makeBackend } from './make-backend.ts'
import { findProgram } from './program.ts'
import { showStep } from './progress.ts'
import { type InstallRequest, parseRequest } from './request.ts'
import { installPackages, packagesFor, packagesForPython } from './system-packages.ts'

const screen = process.stdout

async function install({ backends, tools }: InstallRequest, signal: AbortSignal): Promise<void> {
  const toMake = backends.filter(({ name }) => findBackend(name) === undefined)
  const missingTools = tools.filter(command => findProgram(command) === undefined)
  const packages = [...packagesFor(missingTools), ...packagesForPython(toMake)]
  if (packages.length > 0) {
    await showStep(screen, packages.join(' '), 'installing with apt', async () => {
      await installPackages(packages, signal)
      return 'installed'
    })
  }
  if (tools.length > 0) screen.write(`${tools.join(' ')}: ready\n`)
  for (const backend of backends.filter(candidate => !toMake.includes(candidate))) await reportReady(backend)
  if (toMake.length > 0) await makeAll(toMake, signal)
}

async function reportReady({ name, version }: AnyBackend): Promise<void> {
  const located = findBackend(name)
  if (located === undefined) throw new BackendError(`${name} has just been removed by another process; run this again`)
  if (located.from === 'cache') await touchEntry(dirname(located.path))
  screen.write(`${name} ${version}: ready, ${located.path}\n`)
}

async function makeAll(toMake: readonly AnyBackend[], signal: AbortSignal): Promise<void> {
  const cache = cacheFolder()
  const sayThatWeWait = (): unknown => screen.write('waiting for another run, which makes backends now\n')
  using _lock = await lockCache(cache, sayThatWeWait, signal)
  await removePartialFolders(cache)
  // One after the other: a linker takes up to 2 GB.
  for (const backend of toMake) await makeOne(backend, cache, signal)
  for (const entry of staleEntries(listEntries(cache))) await removeEntry(entry)
}

async function makeOne(backend: AnyBackend, cache: string, signal: AbortSignal): Promise<void> {
  const doing = backend.kind === 'go' ? 'building with Go' : 'unpacking its Python wheel'
  await showStep(screen, `${backend.name} ${backend.version}`, doing, async () => {
    // A run that we waited for may have made it.
    if (findBackend(backend.name) === undefined) {
      await fillEntry(cache, cacheEntry(backend), folder => makeBackend(backend, folder, signal))
    }
    return `ready, ${findBackend(backend.name)?.path}`
  })
}

/** Aborted, with the signal's name as its reason, when this process is told to end. */
function abortedBySignals(): AbortSignal {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => controller.abort(name))
  return controller.signal
}

/** The exit code. */
async function main(words: readonly string[]): Promise<number> {
  const request = parseRequest(words)
  if (request.kind === 'unknown') {
    process.stderr.write(`There is no backend ${request.words.join(', ')}.\n\n${helpText()}`)
    return 2
  }
  if (request.kind !== 'install') {
    screen.write(request.kind === 'help' ? helpText() : formatList())
    return 0
  }
  const signal = abortedBySignals()
  try {
    await install(request, signal)
    return 0
  } catch (error) {
    if (signal.aborted) return 128 + constants.signals[signal.reason as 'SIGINT' | 'SIGTERM' | 'SIGHUP']
    if (!(error instanceof BackendError)) throw error
    process.stderr.write(`${error.message}\n`)
    return 1
  }
}

process.exitCode = await main(process.argv.slice(2))
