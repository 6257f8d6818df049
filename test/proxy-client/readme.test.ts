import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type ProxyConfig, proxyConfig } from '../../proxy-client/config.ts'
import { createSettings } from '../../proxy-client/settings/create-settings.ts'
import { parseConfig } from '../../runtime/config.ts'

const folder = join(import.meta.dirname, '../../proxy-client')
const text = readFileSync(join(folder, 'README.md'), 'utf8')
const examples = Array.from(text.matchAll(/^```yaml\n(.*?)^```/gms), ([, yaml = '']) => yaml)

function load(yaml = ''): ProxyConfig {
  const document = parseConfig(yaml, 'README.md')
  return document.check(proxyConfig, document.value, [])
}

/** With what is said of every client and service worked out. */
function whole({ routers, ...config }: ProxyConfig): unknown {
  return {
    ...config,
    routers: routers.map(router => {
      const { clientSettingsFor, serviceSettingsFor } = createSettings(router)
      return { ...router, client: clientSettingsFor([]), service: serviceSettingsFor([]) }
    }),
  }
}

describe("the proxy's README", () => {
  it('has the sections that every kind has', () => {
    for (const section of ['Name', 'Description', 'Configuration', 'Failure behaviour', 'Metrics', 'Examples']) {
      expect(text).toContain(`\n## ${section}\n`)
    }
  })

  it('shows configurations that load', () => {
    expect(examples).toHaveLength(2)
    for (const yaml of examples) load(yaml)
  })

  it('shows the defaults as they are', () => {
    expect(whole(load(examples[0]))).toEqual(whole(load('{}')))
  })

  it('names every key of a router, a server and what stands above them', () => {
    const [router] = load('{}').routers
    const schema = proxyConfig.shape
    for (const key of Object.keys(schema).filter(key => key !== 'namers')) expect(text).toContain(key)
    for (const key of Object.keys(router ?? {})) expect(text).toContain(key)
    for (const key of Object.keys(router?.servers[0] ?? {})) expect(text).toContain(key)
  })

  it('names every series that the proxy counts, and no other', () => {
    const files = readdirSync(join(folder, 'telemetry')).filter(file => file.endsWith('-series.ts'))
    const source = files.map(file => readFileSync(join(folder, 'telemetry', file), 'utf8')).join('')
    const counted = Array.from(
      source.matchAll(/series\.(?:counter|gauge|histogram|summary)\(\s*'(\w+)'/g),
      ([, name]) => name,
    )
    const table = text.slice(text.indexOf('| series, each after'), text.indexOf('| `workers`'))
    const rows = table
      .split('\n')
      .slice(2)
      .map(row => row.split('|')[1] ?? '')
    const named = rows.flatMap(row => Array.from(row.matchAll(/`(\w+)`/g), ([, name]) => name))
    expect(counted.length).toBeGreaterThan(20)
    expect(named.toSorted()).toEqual(counted.toSorted())
  })

  it('names every stage at which the proxy can fail', () => {
    const source = readFileSync(join(folder, 'failure.ts'), 'utf8')
    const stages = Array.from(source.matchAll(/^ {2}\| '(\w+)'$/gm), ([, stage]) => stage)
    expect(stages.length).toBeGreaterThan(10)
    for (const stage of stages) expect(text).toMatch(new RegExp(`^\\| [^|]+ \\|[^|]*\`${stage}\``, 'm'))
  })
})
