import { describe, expect, it } from 'vitest'
import { NamingError } from '../../naming/errors.ts'

describe('a NamingError', () => {
  it('keeps nothing alive of the place where it was made, for cells hold errors for long', () => {
    expect(new NamingError('name-too-deep', 'too deep').stack).not.toContain('\n    at ')
  })

  it('leaves the stacks of other errors alone', () => {
    const made = new NamingError('internal', 'unexpected', { cause: new Error('before') })
    expect(made.cause).toMatchObject({ stack: expect.stringContaining('\n    at ') })
    expect(new Error('after').stack).toContain('\n    at ')
  })
})
