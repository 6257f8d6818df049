// A process that takes an exclusive lock on a SQLite file, says so, and keeps it until its standard input closes.
import { writeSync } from 'node:fs'
import Database from 'better-sqlite3'

const db = new Database(process.argv[2] ?? '')
if (process.argv[3] === 'whole-file') db.pragma('locking_mode = EXCLUSIVE')
db.exec('BEGIN EXCLUSIVE')
writeSync(1, 'locked\n')
process.stdin.resume()
process.stdin.on('end', () => {
  db.exec('ROLLBACK')
  db.close()
  writeSync(1, 'released\n')
})
