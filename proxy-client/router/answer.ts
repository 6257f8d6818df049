// Writes the proxy's own answer where a request failed, with all that is known of the request by then.
import type { Clock } from '../../watch/clock.ts'
import type { Binding } from '../binding/binding.ts'
import type { BoundClient } from '../client/bound-client.ts'
import type { ResponseSink } from '../exchange/inbound.ts'
import { answerOf, type FailureSubject, type ProxyFailure } from '../failure.ts'
import { notesOn } from './naming-failures.ts'

/** What is known of a request when it fails; each is absent before its step. */
export interface KnownSubject {
  readonly namespace: string
  /** Text of the logical name. */
  readonly service: string | undefined
  /** The request's own dtab, empty for none. */
  readonly dtab: string
  readonly binding: Binding | undefined
  readonly client: BoundClient | undefined
  readonly tried: readonly string[]
  /** Why no naming server is connected, when none is. */
  readonly namingProblem: string | undefined
  readonly clock: Clock
}

/** The whole answer; the response must not have started. At an edge (`isHidden`) it tells the stage alone. */
export function sendFailure(
  response: ResponseSink,
  failure: ProxyFailure,
  subject: KnownSubject,
  isHidden: boolean,
): void {
  const shown = isHidden ? { ...failure, message: 'the details are not shown here' } : failure
  const { status, reason, lines, body } = answerOf(shown, subject.clock.now(), isHidden ? {} : explain(subject))
  response.start(status, reason, lines, { kind: 'length', bytes: body.length })
  response.write(body)
  response.end()
}

function explain({ namespace, service, dtab, client, tried, clock, ...known }: KnownSubject): FailureSubject {
  return {
    namespace,
    tried,
    notes: notesOn({ ...known, client }, clock.now()),
    ...(service !== undefined && { service }),
    ...(dtab !== '' && { dtab }),
    ...(client !== undefined && { client: client.idText }),
  }
}
