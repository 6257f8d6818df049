// The immutable ConfigMap that holds one version of a namespace.
import { fieldManager } from '../../clients/kubernetes/objects.ts'
import { NamingError } from '../../naming/errors.ts'
import type { Version, VersionSummary } from '../store.ts'
import { annotations, decodeFacts, encodeFacts, type Facts, factsOf, importedOver, labels, textHash } from './facts.ts'
import { keyRestName, shortHash, versionName } from './object-names.ts'
import type { StoredObject } from './stored-object.ts'

/** A version without its text. */
export interface VersionObject extends Facts {
  readonly uid: string
  readonly resourceVersion: string
  /** The resourceVersion it was made with; of one that others have changed since, an older one. */
  readonly madeAt: string
  /** Counts as a head that was, for good: who made it cannot take it back. */
  readonly isConfirmed: boolean
  /** Known not to have become a head. */
  readonly isUnused: boolean
  /** Was dropped; only its key is remembered. */
  readonly isDropped: boolean
  /** Its idempotency key is remembered. */
  readonly isKeyed: boolean
}

/** What comes with a version as it is made. */
export interface Making {
  /** The head's resourceVersion, or `importedOver`. */
  readonly over: string
  readonly fingerprint?: string
}

export function encodeVersion(version: Version, making: Making): object {
  const { namespace, text, meta } = version
  const { idempotencyKey } = meta
  const isKeyed = idempotencyKey !== undefined && making.fingerprint !== undefined
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    immutable: true,
    metadata: {
      name: versionName(namespace, version.version),
      labels: {
        [labels.dtab]: 'version',
        [labels.namespace]: shortHash(namespace),
        [labels.version]: String(version.version),
        ...(isKeyed && { [labels.key]: shortHash(idempotencyKey) }),
      },
      annotations: encodeFacts({ ...factsOf(version), ...making }),
    },
    data: { namespace, ...(text !== undefined && { dtab: text }) },
  }
}

/** What stays of a version that is dropped before its key is: no text. Undefined for one without a key. */
export function encodeKeyRest(namespace: string, version: VersionObject): object | undefined {
  const { idempotencyKey } = version.meta
  if (!version.isKeyed || idempotencyKey === undefined) return undefined
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    immutable: true,
    metadata: {
      name: keyRestName(namespace, version.version),
      labels: {
        [labels.dtab]: 'key',
        [labels.namespace]: shortHash(namespace),
        [labels.key]: shortHash(idempotencyKey),
      },
      annotations: encodeFacts(version),
    },
    data: { namespace },
  }
}

/** Refused when somebody has changed or removed the version since. */
export function encodeConfirmation({ resourceVersion, madeAt }: VersionObject): object {
  return { metadata: { resourceVersion, annotations: { [annotations.made]: madeAt, [annotations.confirmed]: 'true' } } }
}

/** Takes the label of the key away; what else was known of the version stays known, when it was made too. */
export function encodeKeyDrop({ uid, madeAt }: VersionObject): object {
  return { metadata: { uid, labels: { [labels.key]: null }, annotations: { [annotations.made]: madeAt } } }
}

/** From an object or its metadata; undefined when it is not as we write them. */
export function decodeVersionObject(object: StoredObject): VersionObject | undefined {
  const facts = decodeFacts(object)
  if (facts === undefined) return undefined
  const { uid, resourceVersion } = object
  const { [labels.dtab]: role, [labels.key]: key } = object.labels
  const isDropped = role === 'key'
  return {
    ...facts,
    uid,
    resourceVersion,
    madeAt: object.annotations[annotations.made] ?? earliestMadeAt(object, facts),
    isConfirmed: object.annotations[annotations.confirmed] === 'true',
    isUnused: role !== 'version' && !isDropped,
    isDropped,
    isKeyed: key !== undefined,
  }
}

/** Somebody else may have put a label on it since: then it was made at some time after the head that it was made over. */
function earliestMadeAt(object: StoredObject, { over }: Facts): string {
  const { resourceVersion, managedFields } = object
  const isAsMade = managedFields.length > 0 && managedFields.every(({ manager }) => manager === fieldManager)
  return isAsMade || over === undefined || over === importedOver ? resourceVersion : over
}

/** The version with its text. Throws store-corrupt when the text is not the one it was made with. */
export function versionFrom(namespace: string, object: StoredObject, { version, meta, deleted, hash }: Facts): Version {
  const text = object.data.dtab
  if (textHash(text) !== hash || deleted !== (text === undefined))
    throw new NamingError('store-corrupt', `The ConfigMap ${object.name} does not hold the text of version ${version}.`)
  return { namespace, version, ...(text !== undefined && { text }), meta }
}

export function summaryFrom(namespace: string, { version, deleted, bytes, meta }: Facts): VersionSummary {
  return { namespace, version, deleted, bytes, meta }
}
