// Builds dist/ for the published package: the sources with their types stripped, line for line, and the files they read.
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join } from 'node:path'

const folders = [
  'bin',
  'naming',
  'watch',
  'storage',
  'interpreters',
  'api',
  'proto',
  'server',
  'runtime',
  'proxy-client',
  'cli',
]
const copied = ['openapi.yaml', 'examples', 'README.md', 'CHANGELOG.md']

await rm('dist', { recursive: true, force: true })
let built = 0
for (const folder of folders) {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const source = join(entry.parentPath, entry.name)
    const target = join('dist', source)
    await mkdir(dirname(target), { recursive: true })
    if (!source.endsWith('.ts')) {
      await cp(source, target)
      continue
    }
    await writeFile(target.replace(/\.ts$/, '.js'), javascript(await readFile(source, 'utf8')))
    built++
  }
}
for (const path of copied) await cp(path, join('dist', path), { recursive: true })
await writeFile('dist/package.json', await publishedManifest())
console.log(`dist: ${built} files built`)

/** Types blanked out, and relative imports pointed at the built files. */
function javascript(source: string): string {
  return stripTypeScriptTypes(source, { mode: 'strip' }).replace(
    /(from\s*|import\(\s*|new URL\(\s*)'(\.[^']+)\.ts'/g,
    "$1'$2.js'",
  )
}

/** What an installed package needs: no scripts, no development dependencies. */
async function publishedManifest(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile('package.json', 'utf8'))
  if (typeof manifest !== 'object' || manifest === null) throw new Error('package.json is not an object')
  const kept = Object.entries(manifest).filter(
    ([key]) => !['scripts', 'devDependencies', 'allowScripts', 'private'].includes(key),
  )
  const bin = { nameplane: 'bin/nameplane.js', namerctl: 'bin/namerctl.js' }
  return `${JSON.stringify({ ...Object.fromEntries(kept), bin }, undefined, 2)}\n`
}
