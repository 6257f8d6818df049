// What is served on this port, for a person who looks; and the API's description.
import { readFileSync } from 'node:fs'
import type { FastifyInstance } from 'fastify'
import { sendJson } from './send-json.ts'

const links = {
  dtabs: '/api/dtabs',
  dtab: '/api/dtabs/{namespace}',
  bind: '/api/bind/{namespace}?path=/svc/web',
  resolve: '/api/resolve/{namespace}?path=/svc/web',
  addr: '/api/addr/{namespace}?path=/%23/io.l5d.fs/web',
  delegate: '/api/delegate/{namespace}?path=/svc/web',
  boundNames: '/api/bound-names',
  export: '/api/export',
  servers: '/api/servers',
  sources: '/api/sources',
  source: '/api/sources/{id}',
  namerd: '/api/1/dtabs',
  openapi: '/openapi.yaml',
}

/** Adds `/` and `/openapi.yaml`; reads the description once. */
export function addIndexRoutes(app: FastifyInstance): void {
  const description = readFileSync(new URL('../../openapi.yaml', import.meta.url), 'utf8')
  const version = /^ {2}version: (.+)$/m.exec(description)?.[1] ?? 'unknown'
  const index = `${JSON.stringify({ name: 'nameplane', version, links }, undefined, 2)}\n`
  app.get('/', (_request, reply) => sendJson(reply, index))
  app.get('/openapi.yaml', (_request, reply) => sendJson(reply, description, 'application/yaml'))
}
