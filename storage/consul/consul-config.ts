// The configuration of the kind: namerd's keys with namerd's meaning.
import { z } from 'zod'
import { backendHost } from '../../runtime/backend-host.ts'
import { clientTls } from '../../runtime/client-tls.ts'
import { ourFolder } from './layout.ts'

/** A folder of keys, without slashes at its ends. */
const pathPrefix = z.string().transform((text, context): string => {
  const folder = text.replace(/^\/+|\/+$/g, '')
  const refuse = (message: string): typeof z.NEVER => {
    context.addIssue({ code: 'custom', message, input: text })
    return z.NEVER
  }
  if (folder === '') return refuse('a folder of keys, such as /namerd/dtabs')
  const labels = folder.split('/')
  if (labels.includes('')) return refuse('an empty label; write one slash between two labels')
  if (labels.includes('.') || labels.includes('..')) return refuse("no label '.' or '..': they are lost on the way")
  if (/\p{Cc}|\p{Cs}/u.test(folder)) return refuse('no control characters')
  if (folder.length > 200) return refuse('at most 200 characters')
  if (labels[0] === ourFolder) return refuse(`the folder ${ourFolder}/ is where the history is kept`)
  return folder
})

const consistencyMode = z.enum(['default', 'stale', 'consistent'], { error: 'one of default, stale, consistent' })

export const consulConfig = z.strictObject({
  host: backendHost.default('localhost'),
  port: z.int().min(1).max(65_535).default(8500),
  /** Below it the text of each namespace stands under its name. */
  pathPrefix: pathPrefix.prefault('/namerd/dtabs'),
  token: z.string().min(1, 'an ACL token; leave the key out when there is none').optional(),
  /** The agent's own when absent. */
  datacenter: z.string().min(1).optional(),
  /** Who may tell of changes; what is read to answer a request is always consistent. */
  readConsistencyMode: consistencyMode.default('default'),
  tls: clientTls.optional(),
  /** Accepted because namerd has them; they change nothing here. */
  writeConsistencyMode: consistencyMode.optional(),
  failFast: z.boolean().optional(),
  backoff: z.looseObject({ kind: z.string() }).optional(),
})

export type ConsulConfig = z.output<typeof consulConfig>
