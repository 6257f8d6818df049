// Writes a small file of last good state and then one of 400 KB into a directory, and tells what became of each: to be run as
// a process of its own, where files are limited in size.
import { SavedFiles } from '../../../proxy-client/last-good/saved-files.ts'
import { encodeEntry, SavedRecords } from '../../../proxy-client/last-good/saved-state.ts'
import { silentLog } from '../../../runtime/log.ts'

const [path = ''] = process.argv.slice(2)
const files = new SavedFiles({ path, servers: ['127.0.0.1:4321'], worker: 0, log: silentLog })

async function write(what: string, bytes: number): Promise<void> {
  const records = new SavedRecords()
  const content = new Uint8Array(bytes)
  records.add(encodeEntry({ kind: 'replicas', key: '/#/fs/blue', confirmedAt: 1, content }))
  const written = files.write(1, records)
  console.log(
    `${what}: ${await written.then(
      () => 'written',
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    )}`,
  )
}

await write('small', 100)
await write('large', 400_000)
console.log(`found: ${(await files.load(1, 1)).entries.length}`)
