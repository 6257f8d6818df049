// Stops a command early, with the cure, when the Node that runs it cannot run this project.
// Plain JavaScript that any Node of the last ten years parses; it must not import anything of ours.
const major = Number(process.versions.node.split('.')[0])
if (major < 26) {
  console.error(
    `nameplane needs Node 26 or newer, and this is ${process.version} (${process.execPath}).\n` +
      'Cure: install Node 26. In a checkout the npm scripts use the pinned copy in node_modules/node; when that is missing,\n' +
      'its install script did not run: run "npm ci" again, or "npm rebuild node" if your npm blocks install scripts.',
  )
  process.exit(1)
}
