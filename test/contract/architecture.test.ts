// Who may import whom, as data; the test reads the import lines of every source file and refuses what the table does not allow.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')

/**
 * The first row whose `files` matches a file is its row. `may` are the files of ours it may import; its own folder always.
 * A kind's folder (storage/sqlite, interpreters/fs) is a folder of its own and so never sees a sibling.
 */
const table: readonly { readonly files: RegExp; readonly may: readonly RegExp[]; readonly ownFolder?: RegExp }[] = [
  { files: /^naming\//, may: [/^naming\//] },
  { files: /^watch\//, may: [/^watch\//] },
  { files: /^storage\/store\.ts$/, may: [/^naming\//, /^watch\//] },
  {
    files: /^interpreters\/(interpreter|namer)\.ts$/,
    may: [/^naming\//, /^watch\//, /^interpreters\/(interpreter|namer)\.ts$/],
  },
  { files: /^runtime\//, may: [/^naming\//, /^watch\//, /^runtime\//] },
  { files: /^clients\//, may: [/^watch\//, /^clients\/[^/]+\//] },
  { files: /^storage\/registry\.ts$/, may: [/^runtime\//, /^storage\/store\.ts$/, /^storage\/[^/]+\/index\.ts$/] },
  {
    // What the kinds over a shared backend have in common; no kind itself.
    files: /^storage\/shared\//,
    may: [/^naming\//, /^watch\//, /^runtime\//, /^storage\/[^/]+\.ts$/, /^storage\/shared\//],
  },
  {
    files: /^storage\/[^/]+\/.+/,
    may: [/^naming\//, /^watch\//, /^runtime\//, /^clients\//, /^storage\/[^/]+\.ts$/, /^storage\/shared\//],
    ownFolder: /^storage\/(?!shared\/)[^/]+\//,
  },
  { files: /^storage\/[^/]+\.ts$/, may: [/^naming\//, /^watch\//, /^runtime\//, /^storage\/[^/]+\.ts$/] },
  {
    files: /^interpreters\/registry\.ts$/,
    may: [/^runtime\//, /^interpreters\/namer\.ts$/, /^interpreters\/[^/]+\/index\.ts$/],
  },
  {
    files: /^interpreters\/[^/]+\/.+/,
    may: [/^naming\//, /^watch\//, /^runtime\//, /^clients\//, /^interpreters\/[^/]+\.ts$/],
    ownFolder: /^interpreters\/[^/]+\//,
  },
  {
    files: /^interpreters\/[^/]+\.ts$/,
    may: [
      /^naming\//,
      /^watch\//,
      /^runtime\//,
      /^storage\/store\.ts$/,
      /^interpreters\/[^/]+\.ts$/,
      /^interpreters\/(inet|utility)\/index\.ts$/,
    ],
  },
  { files: /^proto\//, may: [/^naming\//, /^watch\//, /^proto\//] },
  {
    files: /^api\//,
    may: [
      /^naming\//,
      /^watch\//,
      /^runtime\//,
      /^proto\//,
      /^storage\/[^/]+\.ts$/,
      /^interpreters\/(interpreter|namer)\.ts$/,
      /^api\//,
    ],
  },
  {
    files: /^(proxy-client|cli)\//,
    may: [/^naming\//, /^watch\//, /^runtime\//, /^proto\//],
    ownFolder: /^(proxy-client|cli)\//,
  },
  {
    files: /^server\/compose\.ts$/,
    may: [
      /^naming\//,
      /^watch\//,
      /^runtime\//,
      /^api\//,
      /^(storage|interpreters)\/(registry|store|namer|create-interpreter|retention|retention-rule)\.ts$/,
      /^storage\/snapshot\/index\.ts$/,
      /^server\//,
    ],
  },
  {
    files: /^server\/interfaces\.ts$/,
    may: [
      /^runtime\//,
      /^api\/ports\.ts$/,
      /^api\/(http\/http-api|grpc\/grpc-api|push\/proxy-registry)\.ts$/,
      /^server\//,
    ],
  },
  {
    // The gRPC services in threads of their own: composed there as the server is here.
    files: /^server\/workers\//,
    may: [/^naming\//, /^watch\//, /^runtime\//, /^interpreters\/interpreter\.ts$/, /^api\//, /^server\//],
  },
  {
    files: /^server\//,
    may: [
      /^naming\//,
      /^watch\//,
      /^runtime\//,
      /^storage\/(store|retention-rule)\.ts$/,
      /^interpreters\/namer\.ts$/,
      /^api\/(grpc-limits|ports|proxies|push-streams|sources|servers)\.ts$/,
      /^server\//,
    ],
  },
  { files: /^backends\//, may: [/^backends\//] },
  { files: /^bin\//, may: [/^(server|proxy-client|cli|runtime)\//] },
]

const registries = /^(storage|interpreters)\/registry\.ts$/

const sourceFolders = [
  'bin',
  'naming',
  'watch',
  'storage',
  'interpreters',
  'api',
  'proto',
  'server',
  'clients',
  'runtime',
  'proxy-client',
  'cli',
  'backends',
  'console',
]

function sourceFiles(folder: string): string[] {
  try {
    return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile() && entry.name.endsWith('.ts'))
      .map(entry => relative(root, join(entry.parentPath, entry.name)))
  } catch {
    return [] // the folder has its place in the table before it exists
  }
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  const found = [
    ...text.matchAll(
      /(?:^|\n)\s*(?:import|export)\b[^'"\n;]*?(?:\{[^}]*\}[^'"\n;]*?)?from\s*'(\.[^']+)'|import\(\s*'(\.[^']+)'|new URL\(\s*'(\.[^']+\.ts)'/g,
    ),
  ]
  return found.map(([, fixed, lazy, url]) => relative(root, join(root, dirname(file), fixed ?? lazy ?? url ?? '')))
}

function mayImport(file: string, imported: string): boolean {
  const row = table.find(({ files }) => files.test(file))
  if (row === undefined) return false
  const own = row.ownFolder?.exec(file)?.[0]
  if (own !== undefined && imported.startsWith(own)) return true
  const isSiblingKind = row.ownFolder?.test(imported) === true && own !== undefined
  return !isSiblingKind && row.may.some(allowed => allowed.test(imported))
}

describe('the architecture', () => {
  const files = sourceFolders.flatMap(sourceFiles)

  it('has sources to look at', () => {
    expect(files.length).toBeGreaterThan(50)
  })

  it('lets each part import only what the table allows', () => {
    const breaches = files.flatMap(file =>
      importsOf(file)
        .filter(imported => !mayImport(file, imported))
        .map(imported => `${file} imports ${imported}`),
    )
    expect(breaches).toEqual([])
  })

  it('lets only the composition import the registries', () => {
    const importers = files.filter(file => importsOf(file).some(imported => registries.test(imported)))
    expect(importers).toEqual(['server/compose.ts'])
  })

  it('lets only bin import the server', () => {
    const importers = files.filter(
      file => !file.startsWith('server/') && importsOf(file).some(imported => imported.startsWith('server/')),
    )
    expect(importers).toEqual(['bin/nameplane.ts'])
  })

  it('keeps files small and named for one concept', () => {
    const tooLong = files.filter(file => readFileSync(join(root, file), 'utf8').split('\n').length > 500)
    const vague = files.filter(file => /(^|\/)(utils?|helpers?|types|common|misc)\.ts$/.test(file))
    expect({ tooLong, vague }).toEqual({ tooLong: [], vague: [] })
  })

  it('opens every file with a comment that says what it is', () => {
    const silent = files.filter(file => !/^(#![^\n]*\n)?(\/\/|\/\*\*)/.test(readFileSync(join(root, file), 'utf8')))
    expect(silent).toEqual([])
  })
})
