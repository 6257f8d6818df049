// Checks that a label is an HTTP method and drops it.
import type { Rewrite } from './rewrite.ts'

const method = /^[A-Z]+$/

/** `/<method>/rest` is `/rest`. */
export const anyMethod: Rewrite = ([name, ...rest]) => (name !== undefined && method.test(name) ? rest : undefined)

/** `/<pfx>/<method>/rest` is `/pfx/rest`. */
export const anyMethodPfx: Rewrite = ([prefix, name, ...rest]) =>
  prefix !== undefined && name !== undefined && method.test(name) ? [prefix, ...rest] : undefined
