// A strict JSON reader (RFC 8259) for bodies: errors say line and column, a repeated key is an error, nesting is bounded.
// JSON.parse gives no place and lets the last of two equal keys win unseen.
import { NamingError } from '../../naming/errors.ts'
import { failure, type Result, success } from '../../naming/result.ts'

/** Bodies here are objects in an array in an object; more depth is a mistake or an attack. */
const maxDepth = 8

class JsonFault extends Error {
  readonly offset: number
  readonly expected: string

  constructor(offset: number, expected: string, found: string) {
    super(`${expected} expected but ${found} found`)
    this.offset = offset
    this.expected = expected
  }
}

/** The value, or `bad-request` with offset, line, column and what was expected there. */
export function readJson(text: string): Result<unknown> {
  try {
    return success(new JsonReader(text).document())
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error
    return failure(placed(text, error))
  }
}

function placed(text: string, fault: JsonFault): NamingError {
  const before = text.slice(0, fault.offset)
  const line = before.split('\n').length
  const column = fault.offset - before.lastIndexOf('\n')
  return new NamingError('bad-request', `JSON, line ${line}, column ${column}: ${fault.message}.`, {
    detail: { position: { offset: fault.offset, line, column }, expected: fault.expected },
  })
}

const blanks = /[ \t\n\r]*/y
const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const words: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
])

class JsonReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  document(): unknown {
    const value = this.#value(0)
    this.#skipBlanks()
    if (this.#at < this.#text.length) this.#fail('end of input')
    return value
  }

  #value(depth: number): unknown {
    if (depth > maxDepth) throw new JsonFault(this.#at, `at most ${maxDepth} levels`, 'another')
    this.#skipBlanks()
    const next = this.#text[this.#at]
    if (next === '{') return this.#object(depth)
    if (next === '[') return this.#array(depth)
    if (next === '"') return this.#string()
    return this.#scalar()
  }

  #object(depth: number): unknown {
    const members = new Map<string, unknown>()
    this.#at++
    if (this.#take('}')) return {}
    do {
      this.#skipBlanks()
      const keyAt = this.#at
      if (this.#text[keyAt] !== '"') this.#fail('a key in double quotes')
      const key = this.#string()
      if (members.has(key)) throw new JsonFault(keyAt, 'a key of its own', `a second ${JSON.stringify(key)}`)
      if (!this.#take(':')) this.#fail("':'")
      members.set(key, this.#value(depth + 1))
    } while (this.#take(','))
    if (!this.#take('}')) this.#fail("',' or '}'")
    return Object.fromEntries(members)
  }

  #array(depth: number): unknown[] {
    const items: unknown[] = []
    this.#at++
    if (this.#take(']')) return items
    do items.push(this.#value(depth + 1))
    while (this.#take(','))
    if (!this.#take(']')) this.#fail("',' or ']'")
    return items
  }

  #string(): string {
    const start = this.#at
    for (let at = start + 1; at < this.#text.length; at++) {
      const unit = this.#text.charCodeAt(at)
      if (unit === 0x22) {
        this.#at = at + 1
        return this.#unescaped(start, at + 1)
      }
      if (unit < 0x20) throw new JsonFault(at, 'a character of a string', 'a control character')
      if (unit === 0x5c) at++
    }
    throw new JsonFault(this.#text.length, "'\"'", 'end of input')
  }

  /** One string is small work for the runtime's own parser, which knows every escape. */
  #unescaped(start: number, end: number): string {
    const inner = this.#text.slice(start + 1, end - 1)
    if (!inner.includes('\\')) return inner
    try {
      return String(JSON.parse(this.#text.slice(start, end)))
    } catch {
      throw new JsonFault(start, 'a string with valid escapes', 'another escape')
    }
  }

  #scalar(): unknown {
    number.lastIndex = this.#at
    const digits = number.exec(this.#text)?.[0]
    if (digits !== undefined) {
      this.#at += digits.length
      return Number(digits)
    }
    for (const [word, value] of words) {
      if (!this.#text.startsWith(word, this.#at)) continue
      this.#at += word.length
      return value
    }
    return this.#fail('a JSON value')
  }

  #skipBlanks(): void {
    blanks.lastIndex = this.#at
    blanks.exec(this.#text)
    this.#at = blanks.lastIndex
  }

  #take(mark: string): boolean {
    this.#skipBlanks()
    if (this.#text[this.#at] !== mark) return false
    this.#at++
    return true
  }

  #fail(expected: string): never {
    const found = this.#at < this.#text.length ? `'${this.#text[this.#at]}'` : 'end of input'
    throw new JsonFault(this.#at, expected, found)
  }
}
