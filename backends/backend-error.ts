// The one error of this folder: its message names the cause and the cure, and is printed without a stack.

/** Something that the person at the machine can mend; any other error is a bug of ours. */
export class BackendError extends Error {
  override readonly name = 'BackendError'
}
