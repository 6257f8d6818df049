// What `nameplane check` asks of a proxy's configuration. Starts nothing.
import type { ConfigDocument } from '../runtime/config.ts'
import { type ProxyConfig, proxyConfig } from './config.ts'

/** The checked configuration; throws `bad-config` naming every problem with its place. */
export function checkProxyConfig(document: ConfigDocument): ProxyConfig {
  return document.check(proxyConfig, document.value, [])
}
