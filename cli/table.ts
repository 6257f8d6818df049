// Columns of text, as wide as their widest cell; the last one is not filled up.
import { printable } from './printable.ts'

/** Lines of a table with its heading, one for each row whatever its cells hold. */
export function tableLines(heading: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [heading, ...rows.map(row => row.map(printable))]
  const widths = heading.map((_, column) => Math.max(...all.map(row => row[column]?.length ?? 0)))
  return all.map(row =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
