// Runs a vector file: `npm run -s vectors -- FILE`. Exit 0 all passed, 1 some failed, 2 the file cannot be used.
import { readFileSync } from 'node:fs'
import { NamingError } from '../../naming/errors.ts'
import { kinds } from './kinds.ts'
import { MalformedVectors, parseVectors, tryVector, type Vector, type VectorFailure } from './vector.ts'

const allPassed = 0
const someFailed = 1
const unusable = 2

function report({ vector, got }: VectorFailure): void {
  console.log(`line ${vector.line}: ${vector.kind} ${JSON.stringify(vector.in)}`)
  console.log(`  expected ${vector.error ? 'an error' : JSON.stringify(vector.out)}`)
  console.log(`  got      ${got === undefined ? 'an error' : JSON.stringify(got)}`)
}

function runVector(vector: Vector): VectorFailure | undefined {
  const check = kinds[vector.kind]
  if (check === undefined) return { vector, got: `nothing: no check knows the kind ${vector.kind}` }
  try {
    return tryVector(vector, check)
  } catch (error) {
    return { vector, got: `an exception: ${NamingError.from(error).cause ?? error}` }
  }
}

function readVectors(file: string): Vector[] | undefined {
  try {
    return parseVectors(readFileSync(file, 'utf8'))
  } catch (error) {
    if (!(error instanceof MalformedVectors) && !(error instanceof Error && 'code' in error)) throw error
    console.error(`${file}: ${error.message}`)
    return undefined
  }
}

function run(files: readonly string[]): number {
  const [file] = files
  if (file === undefined || files.length > 1) {
    console.error('usage: npm run -s vectors -- FILE')
    return unusable
  }
  const vectors = readVectors(file)
  if (vectors === undefined) return unusable
  const failures = vectors.map(runVector).filter(failure => failure !== undefined)
  failures.forEach(report)
  console.log(`${vectors.length - failures.length} passed, ${failures.length} failed`)
  return failures.length === 0 ? allPassed : someFailed
}

process.exitCode = run(process.argv.slice(2))
