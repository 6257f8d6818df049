// One oracle case: what was fed in, what came out, and the failure that a check reports.
import { isDeepStrictEqual } from 'node:util'

/** A line of a vector file. `error` means that the input must be refused. */
export interface Vector {
  readonly line: number
  readonly kind: string
  readonly in: Readonly<Record<string, string>>
  readonly out: unknown
  readonly error: boolean
}

/** What our code makes of a case; undefined when it refuses the input. */
export type Check = (input: Readonly<Record<string, string>>) => unknown

export interface VectorFailure {
  readonly vector: Vector
  readonly got: unknown
}

/** Thrown by a reader of vectors when a file is not one. */
export class MalformedVectors extends Error {
  override readonly name = 'MalformedVectors'
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parseVector(text: string, line: number): Vector {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new MalformedVectors(`line ${line} is not JSON`, { cause })
  }
  if (!isRecord(value) || typeof value.kind !== 'string' || !isRecord(value.in)) {
    throw new MalformedVectors(`line ${line} is not a vector: it needs kind and in`)
  }
  const isError = value.error === true
  if (!isError && !('out' in value)) throw new MalformedVectors(`line ${line} has neither out nor error`)
  const input: Record<string, string> = {}
  for (const [name, text] of Object.entries(value.in)) {
    if (typeof text !== 'string') throw new MalformedVectors(`line ${line}: in.${name} is not a string`)
    input[name] = text
  }
  return { line, kind: value.kind, in: input, out: value.out, error: isError }
}

/** The cases of a file in JSON lines; blank lines are allowed. Throws MalformedVectors. */
export function parseVectors(text: string): Vector[] {
  const vectors: Vector[] = []
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() !== '') vectors.push(parseVector(line, index + 1))
  }
  if (vectors.length === 0) throw new MalformedVectors('there is no vector in it')
  return vectors
}

/** Runs one case; undefined when it passes. */
export function tryVector(vector: Vector, check: Check): VectorFailure | undefined {
  const got = check(vector.in)
  const passes = vector.error ? got === undefined : isDeepStrictEqual(got, vector.out)
  return passes ? undefined : { vector, got }
}
