// What the configuration may say of identifiers: one, or a list of which the first that names a request counts.
import { z } from 'zod'
import { kinds } from '../settings/kinds.ts'
import { relayIssues } from '../settings/relay-issues.ts'
import { headerPathConfig } from './header-path.ts'
import { headerTokenConfig } from './header-token.ts'
import { methodAndHostConfig } from './method-and-host.ts'
import { staticNameConfig } from './static-name.ts'
import { uriPathConfig } from './uri-path.ts'

const istio = 'Istio Pilot is not spoken here; use io.l5d.header.token'

const one = kinds([headerTokenConfig, headerPathConfig, uriPathConfig, methodAndHostConfig, staticNameConfig], {
  refused: {
    'io.l5d.ingress': 'let rules of the dtab lead each host to its service, and use io.l5d.header.token',
    'io.l5d.k8s.istio': istio,
    'io.l5d.k8s.istio-ingress': istio,
  },
})

const list = z.array(one).min(1)
const listOfOne = one.transform(config => [config])

/** Always a list once parsed. */
export const identifierConfig = z
  .unknown()
  .transform((value, context) => {
    const schema = Array.isArray(value) ? list : listOfOne
    const checked = schema.safeParse(value)
    if (checked.success) return checked.data
    relayIssues(checked.error, schema, context)
    return z.NEVER
  })
  .prefault({ kind: 'io.l5d.header.token' })

export type IdentifierConfig = readonly z.output<typeof one>[]
