// What a server is called where nobody gave it a name: the machine's name, which people know, and chance.
import { randomBytes } from 'node:crypto'

const maxHostLength = 40

/** Another one at each start. */
export function createServerId(hostname: string): string {
  const host = hostname
    .replace(/[^A-Za-z0-9.-]+/g, '-')
    .replace(/^[.-]+/, '')
    .slice(0, maxHostLength)
  return `${host === '' ? 'server' : host}-${randomBytes(4).toString('hex')}`
}
