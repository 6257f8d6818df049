// What the versions of an import must be, the same for every store. Knows no backend.
import { NamingError } from '../naming/errors.ts'
import type { Version } from './store.ts'
import { refuseText } from './write-rules.ts'

/**
 * The versions one by one, as versions of `namespace`. Throws bad-request when there is none, when their numbers do not grow
 * from 1 up, or when one was not made over the one before it or over one that is not here any more; dtab-too-large and bad-dtab for a text that this store cannot hold.
 */
export async function* importedVersions(
  namespace: string,
  versions: AsyncIterable<Version> | Iterable<Version>,
  maxDtabBytes: number,
): AsyncGenerator<Version> {
  let last = 0
  for await (const version of versions) {
    const { parent } = version.meta
    if (!Number.isSafeInteger(version.version) || version.version <= last)
      throw outOfOrder(version, `the oldest comes first, and ${version.version} came after ${last}`)
    if (!Number.isSafeInteger(parent) || parent < last || parent >= version.version)
      throw outOfOrder(version, `${version.version} came after ${last} and names ${parent} as the version before it`)
    const refusal = refuseText({ namespace, ...textOf(version) }, maxDtabBytes)
    if (refusal !== undefined) throw refusal
    last = version.version
    yield { ...version, namespace }
  }
  if (last === 0) throw new NamingError('bad-request', `The import of '${namespace}' holds no version.`)
}

function outOfOrder({ namespace, version }: Version, problem: string): NamingError {
  return new NamingError('bad-request', `The versions of '${namespace}' are no history: ${problem}.`, {
    detail: { namespace, version },
  })
}

/** The refusal of an import where there is a version already. */
export function hasVersions(namespace: string, presentVersion: number): NamingError {
  return new NamingError(
    'dtab-exists',
    `The namespace '${namespace}' has versions here already, up to ${presentVersion}; its history can be imported only where it never was.`,
    { detail: { namespace, presentVersion } },
  )
}

/** The same for a backend, which is asked for one version at a time. */
export function hasHead(namespace: string): NamingError {
  return new NamingError('dtab-exists', `The namespace '${namespace}' has versions here already.`, {
    detail: { namespace },
  })
}

const textOf = ({ text }: Version): { readonly text?: string } => (text === undefined ? {} : { text })
