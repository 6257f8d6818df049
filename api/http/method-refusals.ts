// 405 for every method that a URL does not have, with the ones it has in Allow.
import type { FastifyInstance, HTTPMethods } from 'fastify'
import { NamingError } from '../../naming/errors.ts'

const methods: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']

/** Notes the routes that are added from now on; `finish` adds the refusals for the rest. */
export function addMethodRefusals(app: FastifyInstance): { finish(): void } {
  const served = new Map<string, Set<string>>()
  let isFinished = false
  app.addHook('onRoute', ({ url, method }) => {
    if (isFinished) return
    const of = served.get(url) ?? new Set()
    for (const one of [method].flat()) of.add(one)
    if (of.has('GET')) of.add('HEAD')
    served.set(url, of)
  })
  return {
    finish() {
      isFinished = true
      for (const [url, taken] of served) {
        const others = methods.filter(method => !taken.has(method))
        if (others.length === 0) continue
        const allow = [...taken].sort().join(', ')
        app.route({
          url,
          method: [...others],
          config: { isRefusal: true },
          handler: (request, reply) => {
            reply.header('allow', allow)
            throw new NamingError('method-not-allowed', `${request.method} is not served here; ${allow} are.`)
          },
        })
      }
    },
  }
}
