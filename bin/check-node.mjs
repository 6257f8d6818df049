// Stops an npm script early, with the cure, when the Node that runs it cannot run this project.
// Plain JavaScript that any Node of the last ten years parses; it must not import anything of ours.
const major = Number(process.versions.node.split('.')[0])
if (major < 26) {
  console.error(
    `nameplane needs Node 26 or newer, and this is ${process.version} (${process.execPath}).\n` +
      'npm scripts use the pinned copy in node_modules/node; it is missing, so its install script did not run.\n' +
      'Cure: run "npm ci" again; if your npm blocks install scripts, run "npm rebuild node".',
  )
  process.exit(1)
}
