// Text of others as one line of a terminal: what would move the cursor, break the line or turn the reading direction is
// shown as its code.

const unprintable = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/** The text without line breaks, escape sequences and marks of direction: `\u{1b}` in their place. */
export function printable(text: string): string {
  return text.replace(unprintable, char => `\\u{${char.codePointAt(0)?.toString(16)}}`)
}

/** A text as one word of a POSIX shell, so that a command that is shown can be pasted. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
