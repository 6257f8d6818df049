// The Go that builds the backends: which it is, and whether it is new enough for a wrapper module.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BackendError } from './backend-error.ts'
import { moduleFolder } from './cache.ts'
import type { GoBackend } from './catalogue.ts'
import { compareVersions } from './version.ts'

/**
 * What `go version` prints in the backend's module (where GOTOOLCHAIN allows, that is a newer Go than the installed one).
 * Throws a BackendError when there is no Go, or none that can build the module.
 */
export function readGoVersion(backend: GoBackend): string {
  const cwd = moduleFolder(backend)
  const wanted = requiredGo(readFileSync(join(cwd, 'go.mod'), 'utf8'))
  const { error, stdout, stderr } = spawnSync('go', ['version'], { cwd, encoding: 'utf8' })
  if (error !== undefined) {
    throw new BackendError(`${backend.name} is built with Go, and "go" cannot be run: ${error.message}.
Cure: install Go ${wanted} or newer, with its "bin" folder on the PATH.`)
  }
  const answer = stdout.trim()
  const version = /^go version go(\d+(?:\.\d+)*)/.exec(answer)?.[1]
  if (version === undefined || compareVersions(version, wanted) < 0) {
    throw new BackendError(`${backend.name} ${backend.version} needs Go ${wanted} or newer: ${answer || stderr.trim()}.
Cure: install Go ${wanted} or newer (Go 1.21 and later can fetch it themselves: GOTOOLCHAIN=auto).`)
  }
  return answer
}

/** The oldest Go that a go.mod admits. */
export function requiredGo(goMod: string): string {
  const version = /^go (\d+(?:\.\d+)*)/m.exec(goMod)?.[1]
  if (version === undefined) throw new Error('go.mod names no Go version')
  return version
}
