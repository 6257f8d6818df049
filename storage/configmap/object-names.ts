// What the objects are called: readable for people, and different for each namespace, for Kubernetes names are lower-case only.
import { createHash } from 'node:crypto'

const slugLength = 40
const hashLength = 20
const numberLength = 6

/** The first 80 bits of the SHA-256 of a text, in hexadecimal: fits a name and a label. */
export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, hashLength)
}

/** Of the ConfigMap that holds the head of a namespace. */
export function headName(namespace: string): string {
  return `nameplane-${nameWithHash(namespace)}`
}

/** Of the ConfigMap that says that there is or was such a namespace. */
export function traceName(namespace: string): string {
  return `${headName(namespace)}-trace`
}

/** Of the ConfigMap that holds one version. */
export function versionName(namespace: string, version: number): string {
  return `${headName(namespace)}-v${String(version).padStart(numberLength, '0')}`
}

/** Of the ConfigMap that remembers the key of a version that was dropped. */
export function keyRestName(namespace: string, version: number): string {
  return `${versionName(namespace, version)}-key`
}

/** Of the Lease that holds a lease or a sign of life. */
export function claimName(kind: string, name: string): string {
  return `nameplane-${kind}-${nameWithHash(name)}`
}

function nameWithHash(text: string): string {
  const slug = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, slugLength)
    .replace(/^-+|-+$/g, '')
  return `${slug === '' ? 'x' : slug}-${shortHash(text)}`
}
