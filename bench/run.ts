// Runs benchmarks by name. Each prints its own table; figures are medians and ratios, and decide no test.
import { readdirSync } from 'node:fs'

const names = readdirSync(import.meta.dirname)
  .filter(file => file.endsWith('.bench.ts'))
  .map(file => file.replace('.bench.ts', ''))
  .sort()
const asked = process.argv.slice(2)
const unknown = asked.filter(name => name !== 'all' && !names.includes(name))
if (asked.length === 0 || unknown.length > 0) {
  const refusal = unknown.length > 0 ? `no benchmark "${unknown.join('", "')}"\n` : ''
  console.error(`${refusal}Usage: npm run bench -- NAME... | all\nBenchmarks: ${names.join(', ')}`)
  process.exit(asked.length === 0 ? 0 : 2)
}
for (const name of asked.includes('all') ? names : asked) {
  console.log(`\n# ${name}`)
  const { run } = await import(`./${name}.bench.ts`)
  await run()
}
