// What SIGHUP means to a process that writes logs to files.
import type { ProxyConfig } from './config.ts'

/**
 * Programs that rotate logs send SIGHUP after they have moved a file. Ours is made anew with the next line in any case, so
 * the signal only must not end the process.
 */
export function surviveHangUps({ routers }: Pick<ProxyConfig, 'routers'>): void {
  const files = routers.filter(({ httpAccessLog }) => httpAccessLog !== undefined && httpAccessLog !== 'stdout')
  if (files.length > 0) process.on('SIGHUP', () => {})
}
