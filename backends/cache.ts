// Where finished backends lie: one folder per recipe, named by its hash, outside the checkout. Knows nothing of how they are made.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import type { GoBackend, WheelBackend } from './catalogue.ts'

/** `${XDG_CACHE_HOME:-~/.cache}/nameplane`; a relative XDG_CACHE_HOME is none, as its specification says. */
export function cacheFolder(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const given = env.XDG_CACHE_HOME
  const base = given !== undefined && isAbsolute(given) ? given : join(homedir(), '.cache')
  return join(base, 'nameplane')
}

/** The flags of `go build`, but for the output: they decide the hash, and Go's own cache goes by them too. */
export function goBuildFlags({ linkerFlags }: GoBackend): readonly string[] {
  return ['-p', '2', '-trimpath', `-ldflags=${linkerFlags}`]
}

/** Variables that `go build` gets beside the caller's own: no C compiler is needed, and no workspace interferes. */
export const goBuildEnvironment: Readonly<Record<string, string>> = { CGO_ENABLED: '0', GOWORK: 'off' }

/** Absolute path of the module that a backend is built from. */
export function moduleFolder({ module }: GoBackend): string {
  return join(import.meta.dirname, '..', module)
}

/** Names a Go build by all that decides its result. `goVersion` is what `go version` prints, platform included. */
export function goBuildHash(backend: GoBackend, goVersion: string): string {
  const folder = moduleFolder(backend)
  const sources = readdirSync(folder).filter(file => file.endsWith('.go'))
  const files = ['go.mod', 'go.sum', ...sources.toSorted()].map(file => readFileSync(join(folder, file), 'utf8'))
  const environment = Object.entries(goBuildEnvironment).map(([name, value]) => `${name}=${value}`)
  return hashOf([backend.main, ...files, goVersion, ...environment, ...goBuildFlags(backend)])
}

/** Names what a wheel gives: the release, and the platform it is for. */
export function wheelHash({ requirement }: WheelBackend): string {
  return hashOf([requirement, process.platform, process.arch])
}

/** Equal for equal parts only: where one part ends and the next begins counts too. */
export function hashOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 20)
}
