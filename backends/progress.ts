// Shows what goes on: one line per step, with its seconds. On a terminal the line ticks; elsewhere each line is printed once.

/** Where lines go: a terminal can go back to the start of its line. */
export interface Screen {
  readonly isTTY?: boolean
  write(text: string): unknown
}

const reminderSeconds = 60

/**
 * Runs `work` under a line that says `doing`, then says what `work` resolves to. The line is ended, and its timer gone,
 * when this settles; a rejection of `work` is passed on.
 */
export async function showStep(
  screen: Screen,
  title: string,
  doing: string,
  work: () => Promise<string>,
): Promise<void> {
  const isTerminal = screen.isTTY === true
  const startedAt = performance.now()
  const seconds = (): number => Math.round((performance.now() - startedAt) / 1000)
  const say = (text: string): unknown => screen.write(isTerminal ? `\r\x1b[K${text}` : `${text}\n`)
  say(`${title}: ${doing}`)
  const tick = setInterval(() => {
    if (isTerminal || seconds() % reminderSeconds === 0) say(`${title}: ${doing}, ${seconds()} s`)
  }, 1000)
  try {
    const outcome = await work()
    say(`${title}: ${outcome} (${seconds()} s)`)
  } catch (error) {
    say(`${title}: FAILED (${seconds()} s)`)
    throw error
  } finally {
    clearInterval(tick)
    if (isTerminal) screen.write('\n')
  }
}
