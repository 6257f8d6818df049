// Builds dist/ for the published package: the compiled sources, the files they read, and a manifest without scripts.
import { execFileSync } from 'node:child_process'
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

const folders = ['storage', 'interpreters', 'api', 'proto', 'proxy-client', 'cli']
const copied = ['openapi.yaml', 'examples', 'README.md', 'CHANGELOG.md', 'bin/check-node.mjs']

await rm('dist', { recursive: true, force: true })
execFileSync('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' })
for (const folder of folders) await copyAssets(folder)
for (const path of copied) await cp(path, join('dist', path), { recursive: true })
await writeFile('dist/package.json', await publishedManifest())
console.log('dist: built')

/** Everything beside the sources that they, or their readers, need: protocol definitions and READMEs. */
async function copyAssets(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.endsWith('.ts')) continue
    const source = join(entry.parentPath, entry.name)
    await mkdir(dirname(join('dist', source)), { recursive: true })
    await cp(source, join('dist', source))
  }
}

/** What an installed package needs: no scripts, no development dependencies. */
async function publishedManifest(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile('package.json', 'utf8'))
  if (typeof manifest !== 'object' || manifest === null) throw new Error('package.json is not an object')
  const kept = Object.entries(manifest).filter(
    ([key]) => !['scripts', 'devDependencies', 'allowScripts', 'private'].includes(key),
  )
  const bin = { nameplane: 'bin/nameplane.js', namerctl: 'bin/namerctl.js' }
  const library = './proxy-client/library/index'
  const exports = { './client': { types: `${library}.d.ts`, default: `${library}.js` } }
  return `${JSON.stringify({ ...Object.fromEntries(kept), bin, exports }, undefined, 2)}\n`
}
