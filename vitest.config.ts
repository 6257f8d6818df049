import { defineConfig } from 'vitest/config'

// Files share a worker: modules here hold no state, and loading them anew for each file doubles the time.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/real/**', 'node_modules/**', 'dist/**'],
    testTimeout: 20_000,
    pool: 'threads',
    isolate: false,
    maxWorkers: '100%',
  },
})
