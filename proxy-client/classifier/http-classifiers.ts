// linkerd's classifiers for HTTP/1.1: every 5xx is a failure, and the method decides whether it may be tried again.
import type { Classifier } from './classifier.ts'
import type { ClassifierConfig } from './classifier-config.ts'

/** `l5d-retryable: true` speaks for a failure whatever the method; it makes no failure of a success. */
function failing5XX(isRetryable: (method: string) => boolean): Classifier {
  return (method, status, isRetryableUpstream) => {
    if (status < 500) return 'success'
    return isRetryableUpstream || isRetryable(method) ? 'retryableFailure' : 'failure'
  }
}

function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || method === 'TRACE'
}

function isIdempotent(method: string): boolean {
  return isRead(method) || method === 'PUT' || method === 'DELETE'
}

const classifiers: Readonly<Record<ClassifierConfig['kind'], Classifier>> = {
  'io.l5d.http.nonRetryable5XX': failing5XX(() => false),
  'io.l5d.http.retryableRead5XX': failing5XX(isRead),
  'io.l5d.http.retryableIdempotent5XX': failing5XX(isIdempotent),
  'io.l5d.http.retryableAll5XX': failing5XX(() => true),
  'io.l5d.http.allSuccessful': () => 'success',
}

export function classifierFor({ kind }: ClassifierConfig): Classifier {
  return classifiers[kind]
}
