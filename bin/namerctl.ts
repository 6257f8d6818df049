#!/usr/bin/env node
// The namerctl command: hands the arguments to cli/, which is loaded only here.
import './check-node.mjs'
import module from 'node:module'

module.enableCompileCache()

const { createProcessIo, runNamerctl } = await import('../cli/index.ts')
process.exitCode = await runNamerctl(process.argv.slice(2), createProcessIo())
