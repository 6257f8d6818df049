// The door of this folder.
export type { HttpApiOptions } from './context.ts'
export { createHttpApi, type HttpApi } from './http-api.ts'
