// The metrics of push are described where people look for them: each once, in one of two pages.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')
const textOf = (file: string): string => readFileSync(join(root, file), 'utf8')

function sourcesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.ts'))
    .map(file => join(folder, file))
}

const pushMetric = /'nameplane_((?:push|watch|grpc|subscriptions|proxies)(?:_\w+)?)'/g

it('every metric of push stands in one table of its page, and no other does', () => {
  const sources = ['api', 'server/workers'].flatMap(sourcesIn).map(textOf).join('\n')
  const made = Array.from(sources.matchAll(pushMetric), ([, name = '']) => name)
  const tables = ['docs/grpc-port.md', 'docs/proxies.md'].flatMap(file => {
    const text = textOf(file)
    const lines = text.slice(text.search(/^## (Metrics|What to alarm on)/m)).split('\n')
    return lines.filter(line => line.startsWith('| `nameplane_')).map(line => line.split(' | ')[0] ?? '')
  })
  const described = tables.flatMap(cell =>
    Array.from(cell.matchAll(/`nameplane_(\w+)(?:\{\w+\})?`/g), ([, name = '']) => name),
  )
  // The servers' own, which stands beside those of proxies.
  expect(described.filter(name => name !== 'replicas_disagree').toSorted()).toEqual(made.toSorted())
})
