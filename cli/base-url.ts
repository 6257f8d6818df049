// Where the server is: --base-url, NAMERCTL_BASE_URL, a .namerctl.yaml, or the default, in this order.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { CliError, reasonOf, usageError } from './cli-error.ts'

export const defaultBaseUrl = 'http://127.0.0.1:4180'

const fileNames = ['.namerctl.yaml', '.namerctl.yml', '.namerctl.json']
const configFile = z.strictObject({ 'base-url': z.string().optional() })

export interface BaseUrlSources {
  /** --base-url */
  readonly option?: string | undefined
  /** --config: this file and no other. */
  readonly configFile?: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly home: string
}

export interface BaseUrl {
  /** Without a slash at the end. */
  readonly url: string
  /** Which source gave it, for messages. */
  readonly from: string
}

/** The configuration file is searched in the working directory, the ones above it, and the home directory. */
export function findBaseUrl(sources: BaseUrlSources): BaseUrl {
  const { option, env } = sources
  if (option !== undefined) return checkBaseUrl(option, '--base-url', defaultBaseUrl)
  const fromEnv = env.NAMERCTL_BASE_URL
  if (fromEnv !== undefined && fromEnv !== '') return checkBaseUrl(fromEnv, 'NAMERCTL_BASE_URL', defaultBaseUrl)
  const files = sources.configFile === undefined ? candidates(sources) : [sources.configFile]
  for (const file of files) {
    const text = readIfThere(file, sources.configFile !== undefined)
    const url = text === undefined ? undefined : readConfig(text, file)
    if (url !== undefined) return checkBaseUrl(url, file, defaultBaseUrl)
  }
  return { url: defaultBaseUrl, from: 'the default' }
}

function candidates({ cwd, home }: BaseUrlSources): string[] {
  const directories = [cwd]
  for (let at = cwd; dirname(at) !== at; at = dirname(at)) directories.push(dirname(at))
  return [...directories, home].flatMap(directory => fileNames.map(name => join(directory, name)))
}

function readIfThere(file: string, mustExist: boolean): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (!mustExist && error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new CliError(2, `cannot read ${file}: ${reasonOf(error)}`, { cause: error })
  }
}

function readConfig(text: string, file: string): string | undefined {
  try {
    return configFile.parse(parse(text) ?? {})['base-url']
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error).replaceAll('\n', ' ') : reasonOf(error)
    throw usageError(`${file}: ${reason}; the only key is base-url, such as base-url: ${defaultBaseUrl}`)
  }
}

/** `from` is named when it is none, and `example` shown. */
export function checkBaseUrl(text: string, from: string, example: string): BaseUrl {
  const url = URL.parse(text)
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:'
  if (url === null || !isHttp || url.search !== '' || url.hash !== '')
    throw usageError(`${from}: '${text}' is not a base URL; write for example ${example}`)
  return { url: url.href.replace(/\/$/, ''), from }
}
