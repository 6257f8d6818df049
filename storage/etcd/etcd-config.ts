// The configuration of the kind: namerd's keys with namerd's meaning, and ours.
import { z } from 'zod'
import { backendHost } from '../../runtime/backend-host.ts'
import { clientTls } from '../../runtime/client-tls.ts'

const port = z.int().min(1).max(65_535)

const endpoint = z
  .string()
  .regex(
    /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?):\d{1,5}$/,
    'host:port, such as etcd-1.example.org:2379, without scheme or path; an IPv6 address in brackets',
  )

/** Ends without a slash. */
const pathPrefix = z
  .string()
  .regex(/^(\/[A-Za-z0-9._~:@+-]+)+\/?$/, 'a path of keys, such as /namerd/dtabs, of letters, digits and . _ ~ : @ + -')
  .transform(text => text.replace(/\/$/, ''))

const fields = {
  /** Instead of `endpoints`; localhost when absent. */
  host: backendHost.optional(),
  /** 2379 when absent. */
  port: port.optional(),
  /** Any servers of one cluster; the next is asked when one does not serve. */
  endpoints: z.array(endpoint).min(1, 'at least one host:port').optional(),
  /** Below it the text of each namespace stands under its name. */
  pathPrefix: pathPrefix.prefault('/namerd/dtabs'),
  username: z.string().min(1).optional(),
  password: z.string().min(1).optional(),
  tls: clientTls.optional(),
  /** Accepted because namerd asks for it; it changes nothing here. */
  experimental: z.boolean().optional(),
}

type Fields = z.output<z.ZodObject<typeof fields>>

function refuseContradictions(config: Fields, context: z.core.$RefinementCtx): void {
  const refuse = (key: string, message: string): void =>
    context.addIssue({ code: 'custom', path: [key], message, input: config })
  if (config.endpoints !== undefined && config.host !== undefined)
    refuse('host', 'cannot stand beside endpoints; keep one of them')
  if (config.endpoints !== undefined && config.port !== undefined)
    refuse('port', 'cannot stand beside endpoints, which have theirs')
  if (config.username !== undefined && config.password === undefined) refuse('password', 'required beside username')
  if (config.password !== undefined && config.username === undefined) refuse('username', 'required beside password')
}

export const etcdConfig = z.strictObject(fields).superRefine(refuseContradictions)

export type EtcdConfig = z.output<typeof etcdConfig>

/** namerd's kind was etcd v2, whose data v3 does not see. */
export const namerdEtcdConfig = z
  .strictObject({
    ...fields,
    /** Starts on an etcd that has no namespace yet. */
    allowEmpty: z.boolean().default(false),
  })
  .superRefine(refuseContradictions)

export type NamerdEtcdConfig = z.output<typeof namerdEtcdConfig>

/** `host:port` of each server. */
export function endpointsOf({ endpoints, host = 'localhost', port: number = 2379 }: EtcdConfig): readonly string[] {
  if (endpoints !== undefined) return endpoints
  return [`${host.includes(':') ? `[${host}]` : host}:${number}`]
}
