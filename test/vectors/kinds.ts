// Which check judges which kind of vector. A part that adds kinds adds its own file and one line here.
import { interpreterKinds } from './interpreter-kinds.ts'
import { languageKinds } from './language-kinds.ts'
import type { Check } from './vector.ts'

export const kinds: Readonly<Record<string, Check>> = {
  ...languageKinds,
  ...interpreterKinds,
}
