import { existsSync, readFileSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createCliFixture, editorThat } from './cli.fixture.ts'

const text = '# the fleet\n/svc => /#/io.test ; # all\n'

describe('namerctl dtab edit', () => {
  it('edits the text with its comments, and leaves no file behind', async () => {
    const { run } = await createCliFixture({ namespaces: { default: text } })
    let edited = ''
    const { code, out } = await run(['dtab', 'edit', 'default', '-m', 'why'], {
      runEditor: async (_command, file) => {
        edited = file
        expect(readFileSync(file, 'utf8')).toBe(text)
        return editorThat(before => `${before}/a => /b ;\n`)('', file)
      },
    })
    expect({ code, out }).toMatchInlineSnapshot(`
      {
        "code": 0,
        "out": "Updated default
      # version 2 replaces version 1, written by configuration at 2023-11-14T22:13:20.000Z: from the configuration
      + /a  => /b ;
      ",
      }
    `)
    expect(existsSync(dirname(edited))).toBe(false)
  })

  it('prefers VISUAL, then EDITOR, then vi', async () => {
    const { run, url } = await createCliFixture({ namespaces: { default: text } })
    const commands: string[] = []
    for (const env of [{ VISUAL: 'code --wait', EDITOR: 'ed' }, { EDITOR: 'ed' }, {}]) {
      const runEditor = async (command: string): Promise<number> => commands.push(command) - commands.length
      const { out } = await run('dtab edit default', { env: { ...env, NAMERCTL_BASE_URL: url }, runEditor })
      expect(out).toBe('default is unchanged\n')
    }
    expect(commands).toEqual(['code --wait', 'ed', 'vi'])
  })

  it('is refused when somebody wrote meanwhile, shows the change, and keeps the text', async () => {
    const fixture = await createCliFixture({ namespaces: { default: text } })
    fixture.file('other.dtab', '/svc => /#/io.test/other ;')
    let kept = ''
    const { code, err } = await fixture.run('dtab edit default', {
      runEditor: async (_command, file) => {
        kept = file
        await fixture.run('dtab put default other.dtab -m hurry', { user: 'bob' })
        return editorThat(() => '/mine => /x ;\n')('', file)
      },
    })
    expect(code).toBe(3)
    expect(err.replace(kept, 'FILE')).toMatchInlineSnapshot(`
      "namerctl: The dtab of 'default' is at version 2, by bob; version 1 was expected: look with \`namerctl dtab get default\`, then try again
      # version 2 was written by bob at 2023-11-14T22:13:20.000Z: hurry
      - /svc => /#/io.test ;
      + /svc => /#/io.test/other ;
      # your text is kept in FILE
      "
    `)
    expect(readFileSync(kept, 'utf8')).toBe('/mine => /x ;\n')
    rmSync(dirname(kept), { recursive: true })
  })

  it('shows the line of a mistake and keeps the text', async () => {
    const { run } = await createCliFixture({ namespaces: { default: text } })
    let kept = ''
    const { code, err } = await run('dtab edit default', {
      runEditor: (command, file) => {
        kept = file
        return editorThat(before => `${before}/a = /b ;\n`)(command, file)
      },
    })
    expect(code).toBe(1)
    expect(err.replaceAll(kept, 'FILE')).toMatchInlineSnapshot(`
      "namerctl: FILE:3:5: '>' expected but ' ' found
        /a = /b ;
            ^
      # your text is kept in FILE
      "
    `)
    rmSync(dirname(kept), { recursive: true })
  })

  it('writes nothing when the text is emptied or the editor fails', async () => {
    const { run } = await createCliFixture({ namespaces: { default: text } })
    expect((await run('dtab edit default', { runEditor: editorThat(() => '\n') })).err).toMatch(/nothing was written/)
    expect((await run('dtab edit default', { runEditor: async () => 127 })).err).toMatch(
      /vi ended with 127: nothing was written/,
    )
    expect((await run('dtab get default')).out).toContain('# version 1\n')
  })

  it('creates what does not exist', async () => {
    const { run } = await createCliFixture()
    const { out } = await run('dtab edit default', { runEditor: editorThat(before => `${before}/a => /b ;\n`) })
    expect(out).toBe('Updated default\n# version 1\n+ /a  => /b ;\n')
  })
})
