// Tries the set-up of a fresh machine with each supported npm: a clone of the committed state, `npm ci`, the pinned Node, one real start.
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const npmVersions = ['10', '11', '12']

/** The caller's npm settings must not leak into the trial. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([key]) => !/^npm_/i.test(key) || /^npm_config_(registry|cafile|cache)$/i.test(key),
  )
  const path = (process.env.PATH ?? '').split(':').filter(part => !part.includes('node_modules'))
  return { ...Object.fromEntries(kept), PATH: path.join(':') }
}

async function tryNpm(version: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'nameplane-setup-'))
  const env = cleanEnvironment()
  const options = { cwd: folder, env, maxBuffer: 1 << 24 }
  try {
    await run('git', ['clone', '--quiet', join(import.meta.dirname, '../..'), '.'], options)
    await run('npx', ['--yes', `npm@${version}`, 'ci', '--no-audit', '--no-fund'], options)
    const { stdout: help } = await run(
      'npx',
      ['--yes', `npm@${version}`, 'run', '-s', 'nameplane', '--', '--help'],
      options,
    )
    if (!help.startsWith('Usage: nameplane')) throw new Error(`nameplane --help printed: ${help}`)
    const { stdout: checked } = await run(
      'npx',
      ['--yes', `npm@${version}`, 'run', '-s', 'nameplane', '--', 'check', 'examples/server.yaml'],
      options,
    )
    if (!checked.includes('valid')) throw new Error(`nameplane check printed: ${checked}`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** npm says much; the lines marked as errors are what matters. */
function reasonOf(error: unknown): string {
  const lines = (error instanceof Error ? error.message : String(error)).split('\n')
  const errors = lines.filter(line => /^npm error \S/.test(line))
  return (errors.length > 0 ? errors : lines).slice(0, 15).join('\n')
}

let failed = 0
for (const version of npmVersions) {
  process.stderr.write(`npm ${version}: clone, npm ci, start ... `)
  try {
    await tryNpm(version)
    process.stderr.write('ok\n')
  } catch (error) {
    failed++
    process.stderr.write(`failed:\n${reasonOf(error)}\n`)
  }
}
console.log(`${npmVersions.length - failed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
