// Preloaded by the npm scripts. Node before 24 cannot run the TypeScript sources, so it is told what to do in one line.
// Plain JavaScript, because this must parse where TypeScript does not.
import * as module from 'node:module'

const [major] = process.versions.node.split('.').map(Number)

if (major < 24) {
  console.error(
    `Descent needs Node 24 or newer, and this is ${process.version}: run \`npm ci\` (which brings Node 24 on Linux and Windows) or install Node 24 from https://nodejs.org.`,
  )
  process.exit(1)
}

// Node keeps the sources without their types, in the system's folder for temporary files: a later start is faster.
module.enableCompileCache()
