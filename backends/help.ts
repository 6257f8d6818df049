// The text of `npm run backends -- --help`.
import { cacheFolder } from './cache.ts'
import { backends, systemTools } from './catalogue.ts'

/** Names every backend with its version, and says where things go. */
export function helpText(): string {
  const releases = backends.map(({ name, version }) => `  ${name.padEnd(24)} ${version}`)
  return `npm run backends [-- [--list] [NAME ...]]

Gives this machine the real backends that "npm run test:real" and the benchmarks use; without a NAME all of them.

${releases.join('\n')}
  ${systemTools.map(({ command }) => command).join(' ')}

A program of that name on the PATH is used when it says that it is exactly this version, and is a program itself and
not a script that starts one. Otherwise Go builds it from its published modules (envoy comes in a Python wheel) into
  ${cacheFolder()}/<hash of go.mod, go.sum, Go version, flags>/
and it is found there by the next run, in any checkout. The three last used builds of each are kept. Deleting the
folder is safe; Go's own caches stay where Go has them. The first time takes 10 to 20 minutes on two cores, up to
3 GB of memory and 9 GB of disk for Go's caches; after that, seconds.

The last line of names is Debian's: present programs of any version are used, missing ones are installed with apt by root;
for others the line to type is printed. Debian starts nginx and haproxy as services when it installs them; the tests
do not need those: "systemctl disable --now nginx haproxy" ends them.

  --list   what is here, where, and in which version; installs nothing
  --help   this text
`
}
