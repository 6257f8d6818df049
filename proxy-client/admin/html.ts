// The frame of the admin pages, and how foreign text gets into them. Knows no page.

/** Text as it stands between tags and in quoted attributes; what would turn the reading direction is shown as its code. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, char => entities[char] ?? '').replace(unprintable, shown)
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const unprintable = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

function shown(char: string): string {
  return `\\u{${char.codePointAt(0)?.toString(16)}}`
}

const pages = [
  ['/', 'Overview'],
  ['/requests', 'Requests'],
  ['/state', 'State'],
  ['/metrics', 'Metrics'],
  ['/config.json', 'Configuration'],
] as const

export interface Page {
  readonly title: string
  /** HTML; every foreign text in it has gone through escapeHtml. */
  readonly main: string
  /** The path of a script on this server. */
  readonly script?: string
}

export function htmlPage({ title, main, script }: Page): string {
  const links = pages.map(([path, name]) => {
    const here = name === title ? ' aria-current="page"' : ''
    return `<a href="${path}"${here}>${name}</a>`
  })
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)} - Nameplane proxy</title>
<link rel="stylesheet" href="/admin/style.css">
${script === undefined ? '' : `<script src="${script}" defer></script>\n`}</head>
<body>
<header><b>Nameplane proxy</b><nav>${links.join('')}</nav></header>
<main>
${main}
</main>
</body>
</html>
`
}
