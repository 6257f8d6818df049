// Makes the identifier of a router from its configuration.
import type { Path } from '../../naming/path.ts'
import { createHeaderPath } from './header-path.ts'
import { createHeaderToken } from './header-token.ts'
import { type Identifier, unidentified } from './identifier.ts'
import type { IdentifierConfig } from './identifier-config.ts'
import { createMethodAndHost } from './method-and-host.ts'
import { createStaticName } from './static-name.ts'
import { createUriPath } from './uri-path.ts'

/** The first that names a request counts; when none does, each says why. */
export function createIdentifier(configs: IdentifierConfig, prefix: Path): Identifier {
  const [only, ...others] = configs
  return only !== undefined && others.length === 0 ? createOne(only, prefix) : createFirstOf(configs, prefix)
}

function createOne(config: IdentifierConfig[number], prefix: Path): Identifier {
  switch (config.kind) {
    case 'io.l5d.header.token':
      return createHeaderToken(config.header, prefix)
    case 'io.l5d.header':
      return createHeaderPath(config.header, prefix)
    case 'io.l5d.path':
      return createUriPath(config.segments, config.consume, prefix)
    case 'io.l5d.methodAndHost':
      return createMethodAndHost(config.httpUriInDst, prefix)
    case 'io.l5d.static':
      return createStaticName(config.path, prefix)
  }
}

function createFirstOf(configs: IdentifierConfig, prefix: Path): Identifier {
  const steps = configs.map(config => ({ kind: config.kind, identify: createOne(config, prefix) }))
  return request => {
    let reasons = ''
    for (const { kind, identify } of steps) {
      const found = identify(request)
      if (found.kind === 'identified') return found
      reasons += `${reasons === '' ? '' : '; '}${kind}: ${found.reason}`
    }
    return unidentified(`no identifier names the request: ${reasons}`)
  }
}
