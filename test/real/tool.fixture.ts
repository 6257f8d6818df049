// Programs that the real tests need beside Node: a missing one is a failure that says how to get it.
import { spawnSync } from 'node:child_process'

/** Throws, with the command that installs it, unless `tool` can be run. */
export function requireTool(tool: string, aptPackage: string): void {
  const { error } = spawnSync(tool, ['--version'], { stdio: 'ignore' })
  if (error !== undefined) throw new Error(`${tool} is missing. Install it with: sudo apt-get install -y ${aptPackage}`)
}
