// Colour, on terminals only, and never when NO_COLOR is set (https://no-color.org).
import { styleText } from 'node:util'
import type { CliIo } from './cli-io.ts'

export type Style = 'red' | 'green' | 'dim' | 'bold'

/** Dresses a text for one of the two outputs; leaves it as it is where nobody sees colour. */
export type Paint = (style: Style, text: string) => string

export function createPaint(io: CliIo, output: 'stdout' | 'stderr'): Paint {
  const { NO_COLOR, TERM } = io.env
  const isColoured = io.isTerminal[output] && (NO_COLOR === undefined || NO_COLOR === '') && TERM !== 'dumb'
  return (style, text) => (isColoured ? styleText(style, text, { validateStream: false }) : text)
}
