import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { proxyConfig } from '../../proxy-client/config.ts'
import { parseConfig } from '../../runtime/config.ts'

const text = readFileSync(join(import.meta.dirname, '../../proxy-client/README.md'), 'utf8')
const examples = Array.from(text.matchAll(/^```yaml\n(.*?)^```/gms), ([, yaml = '']) => yaml)

describe("the proxy's README", () => {
  it('has the sections that every kind has', () => {
    for (const section of ['Name', 'Description', 'Configuration', 'Failure behaviour', 'Metrics', 'Examples']) {
      expect(text).toContain(`\n## ${section}\n`)
    }
  })

  it('shows configurations that load', () => {
    expect(examples).toHaveLength(2)
    for (const yaml of examples) {
      const document = parseConfig(yaml, 'README.md')
      document.check(proxyConfig, document.value, [])
    }
  })

  it('shows the defaults as they are', () => {
    expect(proxyConfig.parse(parseConfig(examples[0] ?? '', 'README.md').value)).toEqual(proxyConfig.parse({}))
  })
})
