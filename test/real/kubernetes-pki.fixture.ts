// Certificates and tokens of one throw-away API server, made by openssl.
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Bearer tokens that the server knows: who may do anything, and who may do nothing until a role is bound. */
export const adminToken = 'admin-token'
export const namerToken = 'namer-token'
/** The user of `namerToken`. */
export const namerUser = 'namer'

/** Paths of the files. */
export interface Pki {
  readonly ca: string
  readonly serverCertificate: string
  readonly serverKey: string
  /** Of a member of system:masters. */
  readonly clientCertificate: string
  readonly clientKey: string
  readonly serviceAccountKey: string
  readonly serviceAccountPublicKey: string
  readonly tokens: string
}

/** Makes everything anew in `folder`. */
export async function createPki(folder: string): Promise<Pki> {
  const at = (name: string): string => join(folder, name)
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  await openssl([
    ...['req', '-x509', ...newKey, '-days', '2', '-subj', '/CN=test-ca', '-keyout', at('ca.key'), '-out', at('ca.crt')],
    ...['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
  ])
  const sign = async (name: string, subject: string, extensions: string): Promise<void> => {
    const request = at(`${name}.csr`)
    await openssl(['req', ...newKey, '-subj', subject, '-keyout', at(`${name}.key`), '-out', request])
    await writeFile(at(`${name}.ext`), extensions)
    const ca = ['-CA', at('ca.crt'), '-CAkey', at('ca.key'), '-set_serial', `0x${Buffer.from(name).toString('hex')}`]
    await openssl([
      ...['x509', '-req', '-in', request, ...ca, '-days', '2'],
      ...['-extfile', at(`${name}.ext`), '-out', at(`${name}.crt`)],
    ])
  }
  await Promise.all([
    sign('server', '/CN=kube-apiserver', 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n'),
    sign('client', '/O=system:masters/CN=admin-by-certificate', 'extendedKeyUsage=clientAuth\n'),
    openssl(['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', at('sa.key')]).then(() =>
      openssl(['ec', '-in', at('sa.key'), '-pubout', '-out', at('sa.pub')]),
    ),
    writeFile(at('tokens.csv'), `${adminToken},admin,1,"system:masters"\n${namerToken},${namerUser},2\n`),
  ])
  return {
    ca: at('ca.crt'),
    serverCertificate: at('server.crt'),
    serverKey: at('server.key'),
    clientCertificate: at('client.crt'),
    clientKey: at('client.key'),
    serviceAccountKey: at('sa.key'),
    serviceAccountPublicKey: at('sa.pub'),
    tokens: at('tokens.csv'),
  }
}

async function openssl(argv: readonly string[]): Promise<void> {
  await run('openssl', argv)
}
