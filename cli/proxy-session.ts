// One run of `namerctl proxy`: the proxy that is asked, by its admin port.
import type { Command } from 'commander'
import { ApiClient } from './api-client.ts'
import { type BaseUrl, checkBaseUrl } from './base-url.ts'
import type { CliIo } from './cli-io.ts'
import { openSession, type Session } from './session.ts'

export const defaultProxyUrl = 'http://127.0.0.1:9990'

/** Options of `proxy` itself. */
interface ProxyOptions {
  readonly proxyUrl?: string
}

const asked = { noun: 'proxy', command: 'nameplane proxy', option: '--proxy-url' } as const

/** A session whose client asks the proxy; sends nothing yet. */
export function openProxySession(io: CliIo, command: Command): Session {
  const { proxyUrl } = command.optsWithGlobals<ProxyOptions>()
  const client = new ApiClient({ asked, baseUrl: findProxyUrl(proxyUrl, io), fetch: io.fetch, author: io.user })
  return { ...openSession(io, command), client }
}

function findProxyUrl(option: string | undefined, { env }: CliIo): BaseUrl {
  if (option !== undefined) return checkBaseUrl(option, '--proxy-url', defaultProxyUrl)
  const fromEnv = env.NAMERCTL_PROXY_URL
  if (fromEnv !== undefined && fromEnv !== '') return checkBaseUrl(fromEnv, 'NAMERCTL_PROXY_URL', defaultProxyUrl)
  return { url: defaultProxyUrl, from: 'the default' }
}
