// The ConfigMap that holds the head of a namespace: where people see and edit its dtab.
import type { HeadRecord, StoredHead } from '../shared/shared-backend.ts'
import type { Version } from '../store.ts'
import { decodeFacts, encodeFacts, type Facts, factsOf, labels, replaceFacts, textHash } from './facts.ts'
import { headName, shortHash, traceName } from './object-names.ts'
import type { StoredObject } from './stored-object.ts'
import { wasTouched } from './touched.ts'

export interface HeadObject {
  readonly resourceVersion: string
  /** Absent when somebody has made it or spoilt it. */
  readonly facts: Facts | undefined
  readonly content: Uint8Array | undefined
  /** Whether the facts are of this content. */
  readonly isWhole: boolean
  /** Whether somebody else may have changed it last. */
  readonly isTouched: boolean
}

/** Version 0 stands for a namespace that never was: its first version is on its way, or was never finished. */
const never: HeadRecord = {
  version: 0,
  meta: { author: '', verified: false, message: '', time: 0, parent: 0 },
  deleted: true,
  bytes: 0,
}

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'

export function decodeHead(object: StoredObject, namespace: string): HeadObject {
  const facts = decodeFacts(object)
  const content = contentOf(object)
  const isOfContent =
    facts !== undefined && facts.deleted === (content === undefined) && facts.hash === textHash(content)
  const isLabelled = object.labels[labels.dtab] === 'head' && object.data.namespace === namespace
  return {
    resourceVersion: object.resourceVersion,
    facts,
    content,
    isWhole: isOfContent && isLabelled,
    isTouched: wasTouched(object),
  }
}

/** What the facts say was written last; undefined for none. */
export function recordFrom(facts: Facts | undefined): HeadRecord | undefined {
  if (facts === undefined || facts.version === 0) return undefined
  const { version, meta, deleted, bytes } = facts
  return { version, meta, deleted, bytes }
}

/** A head that is there, as a sighting with its content. */
export function storedHead(
  namespace: string,
  { resourceVersion, content }: HeadObject,
  record: HeadRecord | undefined,
  isOurs: boolean,
): StoredHead {
  return {
    namespace,
    ...(record !== undefined && { record }),
    isOurs,
    token: resourceVersion,
    order: Number(resourceVersion),
    ...(content !== undefined && { content }),
  }
}

/** The token of a namespace without a head object, after this record. */
export function noHead(record: HeadRecord | undefined): string {
  return `none after ${record?.version ?? 0}`
}

/**
 * A head without a text, to be moved to its first version, or to the one after a deletion from outside. It is never whole: who
 * reads it must look for what others have made before it.
 */
export function encodeEmptyHead(namespace: string, record: HeadRecord | undefined): object {
  const facts = { ...(record ?? never), hash: 'none' }
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: headName(namespace), labels: headLabels(namespace), annotations: encodeFacts(facts) },
    data: { namespace },
  }
}

/** Stays when somebody deletes the head, so that a server which did not see that misses it. */
export function encodeTrace(namespace: string): object {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    immutable: true,
    metadata: {
      name: traceName(namespace),
      labels: { [labels.dtab]: 'trace', [labels.namespace]: shortHash(namespace) },
    },
    data: { namespace },
  }
}

/** Moves the head from this resourceVersion to a version; what others have put on the object stays. */
export function encodeMove(resourceVersion: string, version: Version, { isCramped }: { isCramped: boolean }): object {
  const { namespace, text = null } = version
  const annotations = { ...replaceFacts(factsOf(version)), ...(isCramped && { [lastApplied]: null }) }
  return {
    metadata: { resourceVersion, labels: headLabels(namespace), annotations },
    data: { namespace, dtab: text },
    binaryData: { dtab: null },
  }
}

function headLabels(namespace: string): Readonly<Record<string, string>> {
  return { [labels.dtab]: 'head', [labels.namespace]: shortHash(namespace) }
}

/** kubectl puts what is not UTF-8 under binaryData. */
function contentOf({ data, binaryData }: StoredObject): Uint8Array | undefined {
  if (data.dtab !== undefined) return Buffer.from(data.dtab)
  return binaryData.dtab === undefined ? undefined : Buffer.from(binaryData.dtab, 'base64')
}
