// What the namer needs of a file system, and Node's. Paths and names are byte strings: one character per byte, as in labels.
// Knows nothing of endpoints.

/** Larger files are not read, in bytes. */
export const maxFileBytes = 500 * 1024

/**
 * What a path shows at one instant. `unreadable`: there is something, but it cannot be read. `isLink`: the path itself is a
 * symbolic link. `realPath`: where links lead to, at last. `modifiedAt` in ms since 1970. `via`: the other names in the path's
 * own directory that its links lead through; absent when they lead through other directories too, or that is not known.
 */
export type Reading = { readonly isLink: boolean } & (
  | { readonly kind: 'missing' | 'directory' }
  | { readonly kind: 'unreadable'; readonly error: Error }
  | {
      readonly kind: 'file'
      readonly text: string
      readonly realPath: string
      readonly modifiedAt: number
      readonly via?: readonly string[]
    }
)

/** `rename`: the name came, went, or is something else now. `change`: its content or its attributes were changed in place. */
export type DiskEvent = 'rename' | 'change'

export interface Disk {
  /** Whether a file that was written under its name always shows a `change`, as with inotify. */
  readonly tellsWrites: boolean
  /** Watches one directory until the returned close. Throws when there is no such directory or no watch left. */
  watch(
    directory: string,
    onEvent: (event: DiskEvent, name?: string) => void,
    onError: (error: Error) => void,
  ): () => void
  /** Rejects when it cannot be known what is there. */
  read(path: string): Promise<Reading>
  /** Tells one directory from another at the same path; undefined when there is none. */
  identitySync(directory: string): string | undefined
  identity(directory: string): Promise<string | undefined>
  /** Target of a symbolic link; undefined when the path is none. */
  linkTarget(path: string): Promise<string | undefined>
  /** The names in a directory; rejects when it cannot be listed. */
  list(directory: string): Promise<readonly string[]>
}

/** A byte string as the system calls take it. */
export function bytesOf(path: string): Buffer {
  return Buffer.from(path, 'latin1')
}

/** A text path as a byte string. */
export function byteString(path: string): string {
  return Buffer.from(path, 'utf8').toString('latin1')
}

/** A byte string for people. */
export function readablePath(path: string): string {
  return bytesOf(path).toString('utf8')
}

/** The error code of a system call's error. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

const codesOfNothing = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP'])

/** Whether a system call failed because nothing is there. */
export function meansMissing(error: unknown): boolean {
  return codesOfNothing.has(systemCode(error) ?? '')
}
