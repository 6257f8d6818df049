// Header fields as they stand on the wire: name, value, name, value ... in order, case and repeats kept.

/** Names at even places, each followed by its value. Characters are bytes (latin-1). */
export type RawHeaders = readonly string[]

/** Whether `name` is `lowerName` in some case; a length that differs costs nothing more. */
export function isHeader(name: string | undefined, lowerName: string): boolean {
  return name !== undefined && name.length === lowerName.length && name.toLowerCase() === lowerName
}

/** Every value of a field, in order. `lowerName` is in lower case. */
export function headerValues(headers: RawHeaders, lowerName: string): readonly string[] {
  let values: string[] | undefined
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (!isHeader(headers[i], lowerName)) continue
    values ??= []
    values.push(headers[i + 1] ?? '')
  }
  return values ?? none
}

const none: readonly string[] = []

/** The first value of a field. `lowerName` is in lower case. */
export function headerValue(headers: RawHeaders, lowerName: string): string | undefined {
  for (let i = 0; i + 1 < headers.length; i += 2) if (isHeader(headers[i], lowerName)) return headers[i + 1]
  return undefined
}
