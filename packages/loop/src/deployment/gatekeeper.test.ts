import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { testProject } from '../test-project.ts'
import { Gatekeeper } from './gatekeeper.ts'
import { RequestError } from './request-error.ts'
import { createToken, knownTokens, listTokens, revokeToken } from './tokens.ts'

const asking = (headers: Record<string, string>) => ({ headers }) as unknown as IncomingMessage
const bearer = (token: string) => asking({ authorization: `Bearer ${token}`, host: 'example.org' })
const status = (expected: number) => (error: unknown) => error instanceof RequestError && error.status === expected

test('a token is shown once, kept as its hash alone, and refused once revoked', async (t) => {
  const project = await testProject(t, 'tabular')
  const token = await createToken(project, 'shop', { perMinute: 60 })
  assert.match(token, /^descent_[\w-]{43}$/)
  const [row] = await project.store.db.selectFrom('token').selectAll().execute()
  assert.ok(!JSON.stringify(row).includes(token.slice(8)))
  const gate = new Gatekeeper(true)
  gate.update(await knownTokens(project))
  assert.equal(gate.admit(bearer(token)), 'shop')
  for (const wrong of [`${token}x`, token.slice(0, -1), token.toUpperCase(), '', 'descent_', "' or 1=1"])
    assert.throws(() => gate.admit(bearer(wrong)), status(401), wrong)
  assert.throws(() => gate.admit(asking({ authorization: `Basic ${token}` })), status(401))
  assert.throws(() => gate.admit(asking({ host: 'localhost' })), status(401))
  await revokeToken(project, 'shop')
  gate.update(await knownTokens(project))
  assert.throws(() => gate.admit(bearer(token)), status(401))
  assert.ok((await listTokens(project))[0]?.revokedAt)
  await assert.rejects(revokeToken(project, 'shop'), /was revoked on/)
  await assert.rejects(createToken(project, 'shop'), /revoked, already|already/)
  await assert.rejects(createToken(project, 'two words'), /1 to 64 letters/)
  await assert.rejects(revokeToken(project, 'nobody'), /no token 'nobody'/)
})

test('a token that may ask so many times a minute may do so at once, and then at that pace', () => {
  const gate = new Gatekeeper(true)
  gate.update([{ name: 'a', hash: hashOf('t'), perMinute: 6 }])
  const ask = (seconds: number) => gate.admit(bearer('t'), seconds * 1000)
  for (let i = 0; i < 6; i++) ask(0)
  assert.throws(
    () => ask(1),
    (error: unknown) => status(429)(error) && (error as RequestError).headers['retry-after'] === '9',
  )
  ask(10.1)
  assert.throws(() => ask(10.2), status(429))
  for (let i = 0; i < 6; i++) ask(1000)
  assert.throws(() => ask(1000), status(429))
})

test('without a token only names of this machine are answered, so that no web page can ask through a name of its own', () => {
  const gate = new Gatekeeper(false)
  for (const host of ['localhost', 'localhost:8080', '127.0.0.1:8080', '127.1.2.3', '[::1]:8080', 'LOCALHOST'])
    assert.equal(gate.admit(asking({ host })), null)
  for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example:80', '10.0.0.1', ''])
    assert.throws(() => gate.admit(asking({ host })), status(403), host)
})

function hashOf(token: string): string {
  // SHA-256 of "t".
  assert.equal(token, 't')
  return 'e3b98a4da31a127d4bde6e43033f66ba274cab0eb7eb1c70ec41402bf6273dd8'
}
