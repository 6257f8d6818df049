// Names bound through the interpreter: what changes them and what does not.
import { describe, expect, it } from 'vitest'
import type { Namer } from '../../interpreters/namer.ts'
import { leaf, neg } from '../../naming/name-tree.ts'
import { noSuchReplicas } from '../../naming/replica-set.ts'
import type { Kernel } from '../../watch/cell.ts'
import { ok } from '../../watch/state.ts'
import { createWorld, dtabOf, pathOf, recorded, textOf } from './world.fixture.ts'

describe('a binding', () => {
  it('follows the dtab from version to version', async () => {
    const world = createWorld()
    await world.put('default', '/svc => /#/io.test')
    const seen = recorded(world.bind('/svc/web/users'))
    await world.put('default', '/svc => /#/io.test/v2')
    world.clock.settle()
    expect(seen).toEqual(['/#/io.test/web,/users', '/#/io.test/v2,/web/users'])
  })

  it('is not delivered again when an equal dtab is written', async () => {
    const world = createWorld()
    await world.put('default', '/svc => /#/io.test')
    const seen = recorded(world.bind('/svc/web'))
    const { evaluations } = world.kernel.counts()
    await world.put('default', '/svc => /#/io.test ; # nothing new')
    world.clock.settle()
    expect(seen).toEqual(['/#/io.test/web'])
    expect(world.kernel.counts().evaluations).toBe(evaluations)
  })

  it('is not delivered again when another way leads to the same tree', async () => {
    const world = createWorld()
    await world.put('default', '/svc => /#/io.test')
    const seen = recorded(world.bind('/svc/web'))
    await world.put('default', '/svc => /a ; /a => /#/io.test')
    world.clock.settle()
    expect(seen).toEqual(['/#/io.test/web'])
  })

  it('is that of an empty dtab while its namespace is unknown, deleted or impossible', async () => {
    const world = createWorld()
    const seen = recorded(world.bind('/#/io.test/web'))
    const named = recorded(world.bind('/svc/web'))
    await world.put('default', '/svc => /#/io.test')
    world.clock.settle()
    await world.put('default')
    world.clock.settle()
    expect(seen).toEqual(['/#/io.test/web'])
    expect(named).toEqual(['~', '/#/io.test/web', '~'])
    const impossible = world.interpreter.bind({ namespace: 'no/such', path: pathOf('/svc/web') })
    expect(recorded(impossible)).toEqual(['~'])
  })

  it('puts the local dtab after that of the namespace, so that it wins', async () => {
    const world = createWorld()
    await world.put('default', '/svc => /#/io.test/shared')
    expect(recorded(world.bind('/svc', '/svc => /#/io.test/mine'))).toEqual(['/#/io.test/mine'])
    expect(recorded(world.bind('/svc', '/svc => ~'))).toEqual(['/#/io.test/shared'])
    expect(recorded(world.bind('/svc', '/other => !'))).toEqual(['/#/io.test/shared'])
  })

  it('is one cell for equal requests and another for another local dtab', async () => {
    const world = createWorld()
    await world.put('default', '/svc => /#/io.test')
    const { evaluations } = world.kernel.counts()
    for (let i = 0; i < 3; i++) recorded(world.bind('/svc/web'))
    for (let i = 0; i < 3; i++) recorded(world.bind('/svc/web', '/svc => 0.5*/a & 0.501*/b'))
    recorded(world.bind('/svc/web', '/svc => 0.5*/a & 0.502*/b'))
    expect(world.kernel.counts().evaluations - evaluations).toBe(3)
  })

  it('leaves nothing behind when its last watcher has left and the linger is over', async () => {
    const world = createWorld()
    await world.put('default', '/svc => /#/io.test')
    world.bind('/svc/web').watch(() => {})()
    world.clock.advance(120_000)
    expect(world.kernel.counts().watchers).toBe(0)
    expect(world.kernel.counts().openSources).toBe(0)
    expect(world.clock.waiting).toBe(0)
  })
})

describe('the bind law', () => {
  const bound = (dtab: string, path = '/a'): string => {
    const world = createWorld()
    const seen = recorded(world.interpreter.bind({ namespace: 'none', path: pathOf(path), local: dtabOf(dtab) }))
    return seen[0] ?? ''
  }

  it('names the leaf that an alternative waits for', () => {
    expect(bound('/a => /#/io.test/pending | /#/io.test/x')).toBe('pending: /#/io.test/pending')
  })

  it('drops a pending branch of a union', () => {
    expect(bound('/a => /#/io.test/pending & /#/io.test/x')).toBe('/#/io.test/x')
  })

  it('fails with the class and the path when a built-in namer does not exist', () => {
    expect(bound('/a => /$/com.example.Namer/x')).toBe(
      'failed: Unknown namer: com.example.Namer for path: /$/com.example.Namer/x',
    )
  })

  it('keeps a throwing namer from harming another branch', () => {
    const throwing = (kernel: Kernel): Namer[] => [
      {
        prefix: ['#', 'throws'],
        lookup: () => {
          throw new Error('boom')
        },
        replicas: () => kernel.derive('none', () => ok(noSuchReplicas)),
        close: () => {},
      },
    ]
    const world = createWorld(throwing)
    expect(recorded(world.bind('/a', '/a => /#/throws & /$/inet/80'))).toEqual(['/$/inet/80'])
    expect(recorded(world.bind('/b', '/b => /#/throws'))).toEqual(['failed: boom'])
  })

  it('shows the namers what follows their prefix, and reads what they read', () => {
    const world = createWorld(kernel => [existenceNamer(kernel)])
    const seen = recorded(world.bind('/svc/web', '/svc => /#/exists | /$/nil'))
    expect(seen).toEqual(['$'])
    existing.set(new Set(['web']))
    world.clock.settle()
    existing.set(new Set(['web', 'other']))
    world.clock.settle()
    expect(seen).toEqual(['$', '/#/exists/web'])
  })

  it('is stale while what it read is stale', () => {
    const world = createWorld(kernel => [existenceNamer(kernel)])
    existing.set(new Set(['web']))
    const seen = recorded(world.bind('/#/exists/web'))
    existing.fail(new Error('the backend is away'))
    world.clock.settle()
    expect(seen).toEqual(['/#/exists/web', '/#/exists/web (stale)'])
  })

  let existing = createWorld().kernel.input<ReadonlySet<string>>('existing')
  function existenceNamer(kernel: Kernel): Namer {
    existing = kernel.input<ReadonlySet<string>>('existing', { initial: new Set() })
    return {
      prefix: ['#', 'exists'],
      lookup: ([first = '', ...residual], read) => {
        const names = read(existing)
        if (names.kind !== 'ok') return names
        return ok(names.value.has(first) ? leaf({ kind: 'bound', id: ['#', 'exists', first], residual }) : neg)
      },
      replicas: () => kernel.derive('none', () => ok(noSuchReplicas)),
      close: () => {},
    }
  }

  it('stops at trees nested too deep instead of overflowing the stack', () => {
    const depth = 900
    const nested = (leaf: string): string => `${'('.repeat(depth)}${leaf}${' | ~ & ~)'.repeat(depth)}`
    const dtab = `/a => ${nested('/b')} ; /b => ${nested('/c')} ; /c => /#/io.test/x`
    expect(bound(dtab)).toMatch(/^failed: \/a leads through trees nested more than 1100 deep/)
    expect(bound(dtab, '/b')).toBe('/#/io.test/x')
  })

  it('peeks at a name that nobody watches without opening anything', async () => {
    const world = createWorld()
    await world.put('default', '/svc => /#/io.test')
    expect(textOf(world.bind('/svc/web').peek())).toMatch(/^pending/)
    expect(world.kernel.counts().openSources).toBe(0)
  })
})
