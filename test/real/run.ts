// `npm run test:real`: vitest in a network of its own, so that backends can use an address that is not loopback and harm nobody.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { BackendError } from '../../backends/backend-error.ts'
import { locateTool, missingBackends } from '../../backends/locate.ts'

/** The address beside loopback: an API server refuses endpoints on 127.0.0.1. */
const address = '10.77.0.1/24'

// The shell is the first process in there: it takes in what others leave, and when it ends the kernel ends all the rest.
const inside = `ip link set lo up && ip address add ${address} dev lo || exit 97; "$@"; exit $?`

/** Namespaces of network, processes and mounts (the last for a /proc that fits). All in it ends when unshare does. */
const apart = ['--net', '--pid', '--fork', '--kill-child=SIGKILL', '--mount-proc']
const apartAsUser = ['--user', '--map-root-user', ...apart]

/** How unshare is to be called here; root may be refused what a user is given, as in some containers. */
function chooseNamespaces(): readonly string[] {
  const refusals: string[] = []
  for (const way of process.getuid?.() === 0 ? [apart, apartAsUser] : [apartAsUser]) {
    const trial = spawnSync(locateTool('unshare'), [...way, 'sh', '-c', inside, 'sh', 'true'], {
      encoding: 'utf8',
      env: environment(),
    })
    if (trial.status === 0) return way
    refusals.push(`unshare ${way.join(' ')}: ${trial.stderr.trim() || trial.error?.message || `code ${trial.status}`}`)
  }
  throw new BackendError(`The real tests need a network namespace of their own, and this machine refuses one:
  ${refusals.join('\n  ')}
Cure: run as root, or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1 and, on Ubuntu,
kernel.apparmor_restrict_unprivileged_userns=0), or give the container --cap-add SYS_ADMIN --cap-add NET_ADMIN.`)
}

/** Ours, with the folders of daemons on the PATH: "ip" is there, and ordinary users have not got them. */
function environment(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`, ...more }
}

/** Without a named test all are run, so nothing may be missing; a named one asks for what it needs itself. */
function requireBackends(parameters: readonly string[]): void {
  const missing = parameters.some(parameter => !parameter.startsWith('-')) ? [] : missingBackends()
  if (missing.length === 0) return
  throw new BackendError(`Missing: ${missing.join(', ')}. Get them with: npm run backends`)
}

/** The exit code of vitest, or 128 + n when signal n ended the run. */
async function runTests(parameters: readonly string[]): Promise<number> {
  requireBackends(parameters)
  const namespaces = chooseNamespaces()
  const scratch = mkdtempSync(join(tmpdir(), 'nameplane-real-'))
  const vitest = join(import.meta.dirname, '../../node_modules/vitest/vitest.mjs')
  const command = [process.execPath, vitest, 'run', '--config', 'vitest.real.config.ts', ...parameters]
  // setpriv: should this process be killed, so is unshare.
  const launcher = ['--pdeathsig', 'KILL', locateTool('unshare'), ...namespaces, 'sh', '-c', inside, 'sh', ...command]
  const child = spawn(locateTool('setpriv'), launcher, { stdio: 'inherit', env: environment({ TMPDIR: scratch }) })
  let endedBy = 0
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      endedBy = constants.signals[name]
      child.kill('SIGKILL')
    })
  }
  try {
    const code = await new Promise<number | null>((resolve, reject) =>
      child.once('close', resolve).once('error', reject),
    )
    return endedBy === 0 ? (code ?? 1) : 128 + endedBy
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

try {
  process.exitCode = await runTests(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof BackendError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
