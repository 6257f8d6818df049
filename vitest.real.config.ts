import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/real/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 100_000, interval: 10 } },
    pool: 'forks',
    fileParallelism: false,
    // Cases that mostly wait, for leases to run out and the like, wait side by side.
    maxConcurrency: 40,
  },
})
