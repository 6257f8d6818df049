// An object as the API server sends it, as far as this store reads it. Knows nothing of dtabs.

export interface StoredObject {
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
  readonly labels: Texts
  readonly annotations: Texts
  /** Who has changed which fields, and when. */
  readonly managedFields: readonly Json[]
  readonly data: Texts
  /** Base64. */
  readonly binaryData: Texts
  readonly spec: Json
}

type Json = Readonly<Record<string, unknown>>
type Texts = Readonly<Record<string, string | undefined>>

/** Throws TypeError for what is no object of the API. */
export function decodeObject(value: unknown): StoredObject {
  const object = jsonFrom(value)
  const metadata = jsonFrom(object.metadata)
  const { name, uid, resourceVersion, managedFields } = metadata
  if (typeof name !== 'string' || typeof resourceVersion !== 'string')
    throw new TypeError('an object without name or resourceVersion')
  return {
    name,
    uid: typeof uid === 'string' ? uid : '',
    resourceVersion,
    labels: textsFrom(metadata.labels),
    annotations: textsFrom(metadata.annotations),
    managedFields: Array.isArray(managedFields) ? managedFields.map(jsonFrom) : [],
    data: textsFrom(object.data),
    binaryData: textsFrom(object.binaryData),
    spec: object.spec === undefined || object.spec === null ? {} : jsonFrom(object.spec),
  }
}

function jsonFrom(value: unknown): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('not a JSON object')
  return value as Json // Any object may be asked for its fields.
}

/** The fields that are texts; the API has no others in a map of strings. */
function textsFrom(value: unknown): Texts {
  if (value === undefined || value === null) return {}
  return Object.fromEntries(Object.entries(jsonFrom(value)).filter(([, text]) => typeof text === 'string')) as Texts // filtered
}
