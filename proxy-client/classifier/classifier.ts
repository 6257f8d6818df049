// The contract of a response classifier: whether an answer counts as success, and whether a failure may be tried again.

/** retryable: failed, and the same request may be sent again without harm. */
export type ResponseClass = 'success' | 'failure' | 'retryable'

export interface Classifiable {
  readonly method: string
  readonly status: number
}

/** Pure: it runs on every response. */
export type Classifier = (exchange: Classifiable) => ResponseClass
