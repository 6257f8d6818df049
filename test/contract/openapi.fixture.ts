// openapi.yaml as a judge: validates answers, and remembers which operations and statuses it has seen.
import { readFileSync } from 'node:fs'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { LightMyRequestResponse } from 'fastify'
import { parse } from 'yaml'

interface Media {
  readonly schema: object
}
interface ResponseDoc {
  readonly $ref?: string
  readonly headers?: Readonly<Record<string, { readonly $ref?: string }>>
  readonly content?: Readonly<Record<string, Media>>
}
interface Operation {
  readonly responses: Readonly<Record<string, ResponseDoc>>
}
export interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: {
    readonly responses: Readonly<Record<string, ResponseDoc>>
    readonly schemas: Readonly<Record<string, { readonly enum?: readonly string[] }>>
  }
}

const file = new URL('../../openapi.yaml', import.meta.url)
export const description: Description = parse(readFileSync(file, 'utf8'))
const methods = ['get', 'put', 'post', 'patch', 'delete']

const pointer = (...parts: readonly string[]): string =>
  `api#/${parts.map(part => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`

export class Judge {
  readonly #ajv = new Ajv2020({ strict: false, allErrors: false })
  readonly #validators = new Map<string, ValidateFunction>()
  readonly #seen = new Set<string>()

  constructor() {
    addFormats.default(this.#ajv)
    this.#ajv.addSchema(description, 'api')
  }

  /** Why the answer is not what the description says; undefined when it is. */
  objection(path: string, method: string, answer: LightMyRequestResponse): string | undefined {
    const operation = this.#operation(path, method)
    const status = String(answer.statusCode)
    const key = operation.responses[status] === undefined ? `${status[0]}XX` : status
    const response = operation.responses[key]
    if (response === undefined) return `${method} ${path}: status ${status} is not documented`
    this.#seen.add(`${path} ${operation === description.paths[path]?.[method] ? method : '*'} ${key}`)
    const [name, found] = this.#resolved(path, method, key, response)
    for (const header of Object.keys(found.headers ?? {})) {
      if (answer.headers[header.toLowerCase()] !== undefined) continue
      if (header === 'ETag' && isWithoutTag(answer)) continue
      return `${method} ${path} ${status}: the header ${header} is missing`
    }
    return this.#bodyObjection(name, found, answer)
  }

  /** Every operation with a status that no answer had. */
  unseen(): string[] {
    const missing: string[] = []
    for (const [path, item] of Object.entries(description.paths)) {
      for (const method of methods) {
        for (const status of Object.keys(item[method]?.responses ?? {})) {
          const isSeen = this.#seen.has(`${path} ${method} ${status}`) || this.#seen.has(`${path} * ${status}`)
          if (!isSeen) missing.push(`${method} ${path} ${status}`)
        }
      }
    }
    return missing
  }

  /** Why a value is not of a schema by name; undefined when it is. */
  schemaObjection(schema: string, value: unknown): string | undefined {
    return this.#check(pointer('components', 'schemas', schema), value)
  }

  /** A method that a path does not document stands for all of the path's operations. */
  #operation(path: string, method: string): Operation {
    const item = description.paths[path]
    const operation = item?.[method] ?? methods.map(other => item?.[other]).find(other => other !== undefined)
    if (operation === undefined) throw new Error(`${path} is not documented`)
    return operation
  }

  #resolved(path: string, method: string, key: string, response: ResponseDoc): [readonly string[], ResponseDoc] {
    const name = response.$ref?.split('/').at(-1)
    if (name === undefined) return [['paths', path, method, 'responses', key], response]
    const shared = description.components.responses[name]
    if (shared === undefined) throw new Error(`no response ${name}`)
    return [['components', 'responses', name], shared]
  }

  #bodyObjection(at: readonly string[], response: ResponseDoc, answer: LightMyRequestResponse): string | undefined {
    if (response.content === undefined) return answer.body === '' ? undefined : 'a body where none is documented'
    const type = String(answer.headers['content-type']).split(';', 1)[0] ?? ''
    if (response.content[type] === undefined) return `${at.join(' ')}: ${type} is not documented`
    const schema = pointer(...at, 'content', type, 'schema')
    for (const value of valuesOf(type, answer.body)) {
      const wrong = this.#check(schema, value)
      if (wrong !== undefined) return `${at.join(' ')} ${type}: ${wrong} in ${JSON.stringify(value).slice(0, 400)}`
    }
    return undefined
  }

  #check(schema: string, value: unknown): string | undefined {
    const known = this.#validators.get(schema) ?? this.#ajv.compile({ $ref: schema })
    this.#validators.set(schema, known)
    return known(value) ? undefined : this.#ajv.errorsText(known.errors)
  }
}

/** Streams and deletions have no one version that a tag could name. */
function isWithoutTag(answer: LightMyRequestResponse): boolean {
  if (/ndjson|event-stream/.test(String(answer.headers['content-type']))) return true
  return answer.json().deleted === true
}

function valuesOf(type: string, body: string): unknown[] {
  if (type === 'application/x-ndjson') return body.trimEnd().split('\n').map(decode)
  if (type === 'text/event-stream') return [...body.matchAll(/^data: (.*)$/gm)].map(([, data]) => decode(data ?? ''))
  return [type.endsWith('json') ? decode(body) : body]
}

function decode(text: string): unknown {
  return JSON.parse(text)
}
