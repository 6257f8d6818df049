// io.l5d.static: every request has the same name.
import { z } from 'zod'
import { type Path, showPath } from '../../naming/path.ts'
import { pathText } from '../settings/path-text.ts'
import type { Identified, Identifier } from './identifier.ts'

export const staticNameConfig = z.strictObject({
  kind: z.literal('io.l5d.static'),
  path: pathText,
})

/** The name is `prefix` and `labels`. */
export function createStaticName(labels: Path, prefix: Path): Identifier {
  const path = [...prefix, ...labels]
  const name: Identified = { kind: 'identified', path, text: showPath(path), target: undefined }
  return () => name
}
