// The block `tls` of a client as namerd has it, and the certificates that it names read from their files. Knows no client.
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { NamingError } from '../naming/errors.ts'

const clientAuth = z.strictObject({
  certPath: z.string().min(1),
  /** Put after the certificate. */
  intermediateCertsPath: z.string().min(1).optional(),
  /** PKCS#8. */
  keyPath: z.string().min(1),
})

/** The keys of the block, as they stand in a configuration. */
export const clientTls = z
  .strictObject({
    /** `false` is as good as no `tls` at all. */
    enabled: z.boolean().default(true),
    disableValidation: z.boolean().default(false),
    commonName: z.string().min(1).optional(),
    /** Files of PEM certificates; the system's authorities when absent. */
    trustCerts: z.array(z.string().min(1)).optional(),
    trustCertsBundle: z.string().min(1).optional(),
    clientAuth: clientAuth.optional(),
    /** Accepted because namerd has it; Node's TLS 1.2 and 1.3 are spoken. */
    protocols: z.array(z.string()).optional(),
  })
  .superRefine((tls, context) => {
    const refuse = (key: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [key], message, input: tls })
    if (tls.trustCerts !== undefined && tls.trustCertsBundle !== undefined)
      refuse('trustCerts', 'cannot stand beside trustCertsBundle; keep one of them')
    if (tls.disableValidation && tls.clientAuth !== undefined)
      refuse('clientAuth', 'cannot stand beside disableValidation: true; delete one of them')
    if (tls.enabled && !tls.disableValidation && tls.commonName === undefined)
      refuse('commonName', "required: the name in the agent's certificate; or disableValidation: true")
  })

export type ClientTls = z.output<typeof clientTls>

/** What a connection is made with: texts of PEM, not paths. */
export interface TlsMaterial {
  readonly trustCerts?: readonly string[]
  /** The name that the other side's certificate must bear. */
  readonly commonName?: string
  readonly disableValidation: boolean
  /** `cert` may hold intermediates. */
  readonly clientAuth?: { readonly cert: string; readonly key: string }
}

/** Reads the files; throws `bad-config` that names the key and the file. Undefined when TLS is off. */
export function readClientTls(tls: ClientTls | undefined): TlsMaterial | undefined {
  if (tls === undefined || !tls.enabled) return undefined
  const { disableValidation, commonName, trustCertsBundle, trustCerts = trustCertsBundle && [trustCertsBundle] } = tls
  return {
    disableValidation,
    ...(commonName !== undefined && { commonName }),
    ...(trustCerts && {
      trustCerts: trustCerts.map(file =>
        readPem(trustCertsBundle === undefined ? 'trustCerts' : 'trustCertsBundle', file),
      ),
    }),
    ...(tls.clientAuth !== undefined && { clientAuth: readClientAuth(tls.clientAuth) }),
  }
}

function readClientAuth({ certPath, intermediateCertsPath, keyPath }: z.output<typeof clientAuth>): {
  readonly cert: string
  readonly key: string
} {
  const own = readPem('clientAuth.certPath', certPath)
  const intermediates =
    intermediateCertsPath === undefined ? '' : readPem('clientAuth.intermediateCertsPath', intermediateCertsPath)
  return { cert: `${own.trimEnd()}\n${intermediates}`, key: readPem('clientAuth.keyPath', keyPath) }
}

function readPem(key: string, file: string): string {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new NamingError('bad-config', `tls.${key}: ${file} cannot be read: ${why}`, { cause: error })
  }
  if (text.includes('-----BEGIN ')) return text
  throw new NamingError('bad-config', `tls.${key}: ${file} is not in PEM form; convert it with openssl`)
}
