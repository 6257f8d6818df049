// The contract of a response classifier: whether an answer counts as success, and whether a failure may be tried again.

/** retryableFailure: failed, and the same request may be sent again without harm. */
export type ResponseClass = 'success' | 'failure' | 'retryableFailure'

/**
 * Pure: it runs on every response. `status` is that of the answer or, when none came, the one that the proxy answers with.
 * `isRetryableUpstream` says that the response bears `l5d-retryable: true`. Whether a body can be sent again is not asked here.
 */
export type Classifier = (method: string, status: number, isRetryableUpstream: boolean) => ResponseClass
