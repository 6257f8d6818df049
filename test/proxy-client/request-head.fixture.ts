// Request heads as the reader hands them out, for whatever looks at one.

import { fieldsOf } from '../../proxy-client/http1/fields-of.ts'
import type { RequestHead } from '../../proxy-client/http1/message.ts'
import type { IdentifiableRequest } from '../../proxy-client/identifier/identifier.ts'

export type Pairs = readonly (readonly [string, string])[]

export interface RequestSketch {
  readonly method?: string
  readonly target?: string
  readonly minor?: 0 | 1
  readonly fields?: Pairs
}

export function requestHead({ method = 'GET', target = '/', minor = 1, fields = [] }: RequestSketch): RequestHead {
  return {
    method,
    target,
    minor,
    fields: fieldsOf(fields),
    framing: { kind: 'none' },
    isPersistent: true,
    upgrade: undefined,
    expectsContinue: false,
  }
}

/** Its host is that of its fields. */
export function identifiable(sketch: RequestSketch): IdentifiableRequest {
  const head = requestHead(sketch)
  return { head, method: head.method, target: head.target, host: head.fields.first('host') }
}
