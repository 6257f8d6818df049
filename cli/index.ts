// The door of namerctl.
export { type CliIo, createProcessIo } from './cli-io.ts'
export { runNamerctl } from './run-namerctl.ts'
