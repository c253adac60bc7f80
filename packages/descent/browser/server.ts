/**
 * Serves the library's sources to a page as they are, but for the types: each .ts file is stripped on its way. With
 * `isolated` the page is cross-origin isolated, so it may share memory between threads.
 */
import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { stripTypeScriptTypes } from 'node:module'
import type { AddressInfo } from 'node:net'
import { extname, normalize, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

const page = `<!doctype html>
<meta charset="utf-8">
<title>Descent</title>
<link rel="icon" href="data:,">
<script type="module">
  import { inspect, learn } from '/browser/training.ts'
  Object.assign(globalThis, { inspect, learn })
</script>
`

/** Starts on a free port of this machine; `close` the server afterwards. */
export async function servePage(isolated: boolean): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer((request, response) => {
    const headers: Record<string, string> = isolated
      ? { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }
      : {}
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    if (pathname === '/') {
      response.writeHead(200, { ...headers, 'Content-Type': 'text/html; charset=utf-8' }).end(page)
      return
    }
    source(pathname).then(
      (code) => response.writeHead(200, { ...headers, 'Content-Type': 'text/javascript; charset=utf-8' }).end(code),
      () => response.writeHead(404, headers).end(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/`, server }
}

async function source(pathname: string): Promise<string> {
  const path = normalize(root + decodeURIComponent(pathname).slice(1).replaceAll('/', sep))
  if (!path.startsWith(root) || extname(path) !== '.ts') throw new Error('not served')
  return stripTypeScriptTypes(await readFile(path, 'utf8'))
}
