// Asks the identifier that a configuration makes, under the prefix /svc, and shows its answer in one line.
import { createIdentifier } from '../../../proxy-client/identifier/create-identifier.ts'
import type { Identification } from '../../../proxy-client/identifier/identifier.ts'
import { identifierConfig } from '../../../proxy-client/identifier/identifier-config.ts'
import { identifiable, type RequestSketch } from '../request-head.fixture.ts'

/** `/svc/web`, `/svc/web, forwards /x` or `400 why`. */
export type Ask = (request: RequestSketch) => string

export function asking(config: unknown): Ask {
  const identify = createIdentifier(identifierConfig.parse(config), ['svc'])
  return request => show(identify(identifiable(request)))
}

function show(found: Identification): string {
  if (found.kind === 'unidentified') return `400 ${found.reason}`
  return found.target === undefined ? found.text : `${found.text}, forwards ${found.target}`
}
