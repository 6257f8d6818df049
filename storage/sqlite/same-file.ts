// Notices that the database file was removed or swapped while it is open: SQLite itself would go on with the old one.
import { statSync } from 'node:fs'
import { NamingError } from '../../naming/errors.ts'

/** Gives a check that throws store-unavailable once `path` is another file than it is now, or none. */
export function watchSameFile(path: string): () => void {
  const inode = statSync(path).ino
  return () => {
    if (statSync(path, { throwIfNoEntry: false })?.ino === inode) return
    throw new NamingError(
      'store-unavailable',
      `The database ${path} was removed or replaced while in use. Restart the server.`,
      { detail: { path } },
    )
  }
}
