import { describe, expect, it } from 'vitest'
import { classifierFor } from '../../../proxy-client/classifier/http-classifiers.ts'

describe('a response classifier', () => {
  it.each([
    ['io.l5d.http.nonRetryable5XX', 499, 'success'],
    ['io.l5d.http.nonRetryable5XX', 500, 'failure'],
    ['io.l5d.http.nonRetryable5XX', 599, 'failure'],
    ['io.l5d.http.allSuccessful', 500, 'success'],
  ] as const)('%s makes %d a %s', (kind, status, made) => {
    expect(classifierFor({ kind })({ method: 'GET', status })).toBe(made)
  })
})
