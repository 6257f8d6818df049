// Dtabs and their differences as people read them. The aligned form is the old namerctl's, byte for byte.
import type { Change, DentryText } from './answers.ts'
import type { Paint } from './styles.ts'

/** One dentry per line, arrows aligned. */
export function alignedDtab(dtab: readonly DentryText[]): string {
  const width = widest(dtab)
  return dtab.map(dentry => `${alignedDentry(dentry, width)}\n`).join('')
}

/** All on one line, for scripts. */
export function compactDtab(dtab: readonly DentryText[]): string {
  return dtab.map(({ prefix, dst }) => `${prefix}=>${dst};`).join('')
}

/** Removed dentries with `-`, added ones with `+`, in the order of their places. */
export function diffLines(changes: readonly Change[], paint: Paint): string[] {
  const width = widest(changes)
  return changes.map(change => {
    const line = alignedDentry(change, width)
    return paintedDiffLine(change.change === 'removed' ? `- ${line}` : `+ ${line}`, paint)
  })
}

/** A line that begins with `-` or `+`, in its colour. */
export function paintedDiffLine(line: string, paint: Paint): string {
  if (line.startsWith('-')) return paint('red', line)
  return line.startsWith('+') ? paint('green', line) : line
}

function alignedDentry({ prefix, dst }: DentryText, width: number): string {
  return `${prefix.padEnd(width)}  => ${dst} ;`
}

function widest(dtab: readonly DentryText[]): number {
  return dtab.reduce((width, { prefix }) => Math.max(width, prefix.length), 0)
}
