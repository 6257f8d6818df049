// The version of this build, from package.json.
import { readFileSync } from 'node:fs'
import { z } from 'zod'

/** package.json lies beside the sources, and one level up from a build. */
function readVersion(): string {
  for (const candidate of ['../package.json', '../../package.json']) {
    try {
      return z
        .object({ version: z.string() })
        .parse(JSON.parse(readFileSync(new URL(candidate, import.meta.url), 'utf8'))).version
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || error.code !== 'ENOENT') throw error
    }
  }
  return '0.0.0'
}

export const version: string = readVersion()
