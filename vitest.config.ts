import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { defineConfig } from 'vitest/config'

// Nearly all code here runs too briefly to be worth the last compiler, which took an eighth of the processors' time.
setFlagsFromString('--no-turbofan')

// Files share a worker: modules here hold no state, and loading them anew for each file doubles the time.
// A limit ends only what would never end: no test may fail because the machine is busy.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/real/**', 'node_modules/**', 'dist/**'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 100_000, interval: 5 } },
    pool: 'threads',
    isolate: false,
    maxWorkers: '100%',
    // For the many threads and processes that the tests start, each of which strips and compiles the same files.
    env: { NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache') },
  },
})
