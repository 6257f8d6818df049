import { describe, expect, it } from 'vitest'
import { type DevPlaces, devWelcome } from '../../server/dev-welcome.ts'

const places: DevPlaces = {
  baseUrl: 'http://127.0.0.1:4180',
  grpcPort: 4321,
  serverAdminPort: 9991,
  proxyPort: 4140,
  proxyAdminPort: 9990,
  dir: 'nameplane-dev',
  namerctl: 'npm run -s namerctl --',
  examples: 'examples',
}

describe('the welcome of nameplane dev', () => {
  it('shows commands as they are called in a checkout', () => {
    expect(devWelcome(places)).toContain('\n    npm run -s namerctl -- dtab update default examples/ten-percent.dtab\n')
  })

  it('shows commands as they are called in an installed package', () => {
    const welcome = devWelcome({ ...places, namerctl: 'namerctl', examples: '/opt/nameplane/examples' })
    expect(welcome).toContain('\n    namerctl dtab update default /opt/nameplane/examples/all-v2.dtab\n')
    expect(welcome).not.toContain('npm run')
  })

  it('says where the server is when it is not at its usual port', () => {
    const welcome = devWelcome({ ...places, baseUrl: 'http://127.0.0.1:5000' })
    expect(welcome).toContain('namerctl -- --base-url http://127.0.0.1:5000 delegate /svc/web')
  })
})
