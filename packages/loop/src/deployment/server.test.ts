import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import sharp from 'sharp'
import { seeded } from '../random.ts'
import { currentVersion, setAlias } from '../registry/aliases.ts'
import { loadVersion } from '../registry/load-version.ts'
import { registerRun } from '../registry/register.ts'
import { digitProject, mailProject, penguinProject, train } from '../registry/test-versions.ts'
import type { Content, ImageContent } from '../store/content.ts'
import { serve } from './serve.ts'
import { faultOf, malformedRequest, sendRaw } from './test-malformed.ts'
import { testServing, withChampion } from './test-serving.ts'
import { createToken, revokeToken } from './tokens.ts'

const raw = { 'content-type': 'application/octet-stream' }

test('digits, served', async (t) => {
  const trained = await withChampion(await digitProject(t))
  const { project, examples } = trained
  const { ask, serving, errors, news } = await testServing(t, trained, {
    timeoutSeconds: 1,
    maxBodyMegabytes: 0.1,
    randomShare: 0.5,
  })
  const port = Number(new URL(serving.address).port)
  const digits = examples.slice(0, 20).map(({ content }) => content as ImageContent)
  const [first] = digits as [ImageContent]
  const model = await loadVersion(project, 1)
  const expected = await model.predict(digits)
  const base = `/v2/models/${project.name}`

  await t.test('the same digit in every form gets the answer that the model gives', async () => {
    const png = await sharp(first.bytes, { raw: { width: 28, height: 28, channels: 1 } })
      .png()
      .toBuffer()
    const [answer] = expected
    assert.ok(answer && 'label' in answer)
    for (const [body, headers] of [
      [first.bytes, raw],
      [png, { 'content-type': 'image/png' }],
      [{ image: png.toString('base64') }, {}],
      [{ image: `data:image/png;base64,${png.toString('base64')}` }, {}],
      [{ pixels: [...first.bytes] }, {}],
      [{ pixels: [...first.bytes], width: 28, height: 28, channels: 1 }, {}],
    ] as const) {
      const { status, body: reply } = await ask('POST', '/predict', body, headers)
      assert.equal(status, 200)
      assert.equal(reply.label, answer.label)
      assert.equal(reply.version, 1)
      assert.match(reply.id, /^[0-9a-f-]{36}$/)
      assert.ok(Math.abs(reply.uncertainty - answer.uncertainty) < 1e-3)
      const probabilities = Object.values(reply.probabilities) as number[]
      assert.deepEqual(Object.keys(reply.probabilities), [...'0123456789'])
      for (const [i, p] of probabilities.entries()) assert.ok(Math.abs(p - (answer.probabilities[i] as number)) < 1e-3)
    }
    const { body: list } = await ask(
      'POST',
      '/predict',
      digits.map(({ bytes }) => ({ pixels: [...bytes] })),
    )
    assert.deepEqual(
      list.map(({ label }: { label: string }) => label),
      expected.map((one) => 'label' in one && one.label),
    )
  })

  await t.test('an answer that says it is logged is in the database, as it was given', async () => {
    const { body } = await ask('POST', '/predict?wait=logged', first.bytes, raw)
    assert.equal(body.logged, true)
    const row = await project.store.db
      .selectFrom('prediction')
      .selectAll()
      .where('id', '=', body.id)
      .executeTakeFirstOrThrow()
    assert.deepEqual(JSON.parse(row.output), { label: body.label, probabilities: Object.values(body.probabilities) })
    assert.equal(row.uncertainty, body.uncertainty)
    assert.equal(row.role, 'champion')
    assert.deepEqual(Buffer.from(row.body as Uint8Array), Buffer.from(first.bytes))
    // The content is the example that was imported.
    const example = await project.store.db.selectFrom('example').select('id').where('id', '=', row.content).execute()
    assert.equal(example.length, 1)
  })

  await t.test('the random slice is the share that was asked for', async () => {
    const rows = async () =>
      project.store.db.selectFrom('prediction').select('random').where('role', '=', 'champion').execute()
    const body = digits.map(({ bytes }) => ({ pixels: [...bytes] }))
    for (let i = 0; i < 9; i++) await ask('POST', '/predict', body)
    await ask('POST', '/predict?wait=logged', body)
    const all = await rows()
    const share = all.filter(({ random }) => random === 1).length / all.length
    assert.ok(Math.abs(share - 0.5) < 5 * Math.sqrt(0.25 / all.length), `${share} of ${all.length}`)
  })

  await t.test('the Open Inference Protocol: health, metadata, JSON and binary tensors', async () => {
    for (const path of ['/v2/health/live', '/v2/health/ready', `${base}/ready`, `${base}/versions/1/ready`])
      assert.equal((await ask('GET', path)).status, 200, path)
    assert.deepEqual((await ask('GET', '/v2')).body.extensions, ['binary_tensor_data'])
    const { body: metadata } = await ask('GET', base)
    assert.deepEqual(metadata.inputs, [{ name: 'image', datatype: 'UINT8', shape: [-1, 28, 28, 1] }])
    assert.deepEqual(metadata.versions, ['1'])
    const labels = expected.slice(0, 2).map((one) => 'label' in one && one.label)
    const two = [...(digits[0]?.bytes ?? []), ...(digits[1]?.bytes ?? [])]
    const tensor = { name: 'image', datatype: 'UINT8', shape: [2, 28, 28, 1] }
    for (const path of [`${base}/infer`, `${base}/versions/1/infer`]) {
      const { status, body } = await ask('POST', path, { id: 'mine', inputs: [{ ...tensor, data: two }] })
      assert.equal(status, 200)
      assert.deepEqual([body.id, body.model_name, body.model_version], ['mine', project.name, '1'])
      const outputs = Object.fromEntries(body.outputs.map((output: { name: string }) => [output.name, output]))
      assert.deepEqual(outputs.label.data, labels)
      assert.deepEqual([outputs.probabilities.shape, outputs.probabilities.data.length], [[2, 10], 20])
      assert.equal(outputs.prediction_id.data.length, 2)
    }
    const head = JSON.stringify({
      inputs: [{ ...tensor, parameters: { binary_data_size: two.length } }],
      outputs: [{ name: 'probabilities', parameters: { binary_data: true } }, { name: 'label' }],
    })
    const reply = await fetch(`${serving.address}${base}/infer`, {
      method: 'POST',
      headers: { 'inference-header-content-length': String(head.length) },
      body: Buffer.concat([Buffer.from(head), Buffer.from(two)]),
    })
    assert.equal(reply.status, 200)
    const bytes = Buffer.from(await reply.arrayBuffer())
    const length = Number(reply.headers.get('inference-header-content-length'))
    const json = JSON.parse(bytes.toString('utf8', 0, length))
    assert.deepEqual(json.outputs[1].data, labels)
    const sums = [0, 1].map((row) =>
      Array.from({ length: 10 }, (_, i) => bytes.readFloatLE(length + 4 * (10 * row + i))).reduce((a, b) => a + b),
    )
    assert.ok(sums.every((sum) => Math.abs(sum - 1) < 1e-4))
    assert.equal(json.outputs[0].parameters.binary_data_size, bytes.length - length)
  })

  await t.test('feedback is kept, and says whether it agrees', async () => {
    const { body: prediction } = await ask('POST', '/predict', first.bytes, raw)
    const wrong = prediction.label === '0' ? '1' : '0'
    const kept = await ask('POST', `/feedback/${prediction.id}`, { value: wrong, who: 'Ada' })
    assert.equal(kept.status, 200)
    assert.deepEqual(kept.body, { prediction: prediction.id, value: wrong, predicted: prediction.label, agrees: false })
    assert.equal((await ask('POST', `/feedback/${prediction.id}`, { value: prediction.label })).body.agrees, true)
    const rows = await project.store.db.selectFrom('feedback').select(['prediction', 'value', 'who']).execute()
    assert.deepEqual(rows[0], { prediction: prediction.id, value: JSON.stringify(wrong), who: 'Ada' })
    assert.equal(rows.length, 2)
  })

  await t.test('the description is valid OpenAPI, and names every path that is answered', async () => {
    const { body } = await ask('GET', '/openapi.json')
    const validation = await new Validator().validate(body)
    assert.ok(validation.valid, JSON.stringify(validation.errors))
    for (const path of ['/predict', '/feedback/{predictionId}', '/metrics', `${base}/infer`])
      assert.ok(path in body.paths, path)
  })

  await t.test('the metrics count what has happened', async () => {
    const value = async (name: string) => {
      const { body } = await ask('GET', '/metrics')
      const line = (body as string).split('\n').find((text) => text.startsWith(`${name} `))
      return Number(line?.split(' ')[1])
    }
    const before = await value('descent_requests_total{route="/predict",status="200"}')
    for (let i = 0; i < 3; i++) await ask('POST', '/predict', first.bytes, raw)
    await ask('POST', '/predict', 'x')
    assert.equal(await value('descent_requests_total{route="/predict",status="200"}'), before + 3)
    assert.ok((await value('descent_requests_total{route="/predict",status="400"}')) >= 1)
    assert.equal(await value('descent_champion_version'), 1)
    assert.equal(await value('descent_log_predictions_total{outcome="dropped"}'), 0)
    assert.equal(await value('descent_feedback_total{agrees="true"}'), 1)
  })

  const promtool = spawnSync('promtool', ['--version']).status === 0
  const missing = promtool ? false : "Prometheus' promtool is not installed"
  await t.test("Prometheus' own checker finds nothing to say about the metrics", { skip: missing }, async () => {
    const { body } = await ask('GET', '/metrics')
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: body, encoding: 'utf8' })
    assert.deepEqual([status, stdout, stderr], [0, '', ''])
  })

  await t.test('what is wrong with a request is said in one sentence', async () => {
    const says = async (path: string, body: unknown, headers = {}) =>
      (await ask('POST', path, body, headers)).body.error
    assert.equal(await says('/predict', { pixels: [1, 2] }), '28 × 28 pixels with 1 channel are 784 numbers, not 2.')
    assert.equal(await says('/predict', new Uint8Array(3), raw), 'Raw pixels are 28 × 28 × 1 = 784 bytes here, not 3.')
    assert.match(
      await says('/predict', { text: 'a' }),
      /There is no field "text"; there are: pixels, width, height, channels/,
    )
    assert.match(await says('/predict', []), /The list is empty/)
    assert.match(await says('/predict?ensemble=4', first.bytes, raw), /has no dropout to make an ensemble with/)
    assert.match(await says(`/v2/models/x/infer`, {}), /There is no model "x"; this server has/)
    const half = (
      await sharp(first.bytes, { raw: { width: 28, height: 28, channels: 1 } })
        .png()
        .toBuffer()
    ).subarray(0, 60)
    assert.match(await says('/predict', half, { 'content-type': 'image/png' }), /cannot be read/)
    assert.equal((await ask('PUT', '/predict')).headers.get('allow'), 'POST')
  })

  await t.test(
    '500 malformed requests get a status from 400 to 499 and a sentence each, and the server answers on',
    async () => {
      const random = seeded(7)
      const faults: string[] = []
      let next = 0
      const sender = async () => {
        while (next < 500) {
          const malformed = malformedRequest(next++, random, { model: project.name, maxBody: 1e5 })
          const fault = faultOf(await sendRaw(port, malformed))
          if (fault) faults.push(`${malformed.kind}: ${fault}`)
        }
      }
      await Promise.all(Array.from({ length: 16 }, sender))
      assert.deepEqual(faults, [])
      assert.equal((await ask('POST', '/predict', first.bytes, raw)).status, 200)
    },
  )

  await t.test('the champion changes under load without a failed request, within a second', async () => {
    const second = await train(project, { seed: 2, epochs: 1 })
    const { version } = await registerRun(project, second.number)
    let stop = false
    const statuses = new Set<number>()
    const versions: number[] = []
    const sender = async () => {
      while (!stop) {
        const { status, body } = await ask('POST', '/predict', first.bytes, raw)
        statuses.add(status)
        versions.push(body.version)
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
    }
    const senders = Array.from({ length: 8 }, sender)
    for (const number of [version.number, 1, version.number]) {
      await setAlias(project, 'champion', number)
      const since = performance.now()
      while (serving.version !== number && performance.now() - since < 5000) await new Promise((r) => setTimeout(r, 10))
      assert.equal(serving.version, number)
    }
    stop = true
    await Promise.all(senders)
    assert.deepEqual([...statuses], [200])
    assert.deepEqual([...new Set(versions)].sort(), [1, version.number])
    assert.match(news.join('\n'), /Version 2 is the champion now, in place of 1\./)
    // An older version still answers who asks for it by number.
    const { body } = await ask('POST', `${base}/versions/1/infer?wait=logged`, {
      inputs: [{ name: 'image', datatype: 'UINT8', shape: [1, 28, 28, 1], data: [...first.bytes] }],
    })
    assert.deepEqual([body.model_version, body.parameters], ['1', { logged: true }])
  })

  await t.test('no request was answered with 500', () => assert.deepEqual(errors, []))
})

test('a challenger answers in the shadow of the champion, and closing writes all of it', async (t) => {
  const trained = await withChampion(await digitProject(t))
  const { project, examples } = trained
  const { version } = await registerRun(project, (await train(project, { seed: 5, epochs: 1 })).number)
  await setAlias(project, 'challenger', version.number)
  const { ask, close } = await testServing(t, trained, { challenger: 'challenger' })
  const ids: string[] = []
  for (const { content } of examples.slice(0, 30))
    ids.push((await ask('POST', '/predict', (content as ImageContent).bytes, raw)).body.id)
  await close()
  const rows = await project.store.db.selectFrom('prediction').selectAll().execute()
  const shadows = rows.filter(({ role }) => role === 'shadow')
  assert.deepEqual(shadows.map(({ shadows: id }) => id).sort(), [...ids].sort())
  assert.ok(shadows.every((row) => row.version === version.number))
  for (const shadow of shadows) assert.equal(rows.find(({ id }) => id === shadow.shadows)?.content, shadow.content)
})

test('rows: named fields, missing ones, and columns that the model leaves out', async (t) => {
  const trained = await withChampion(await penguinProject(t))
  const { project, examples } = trained
  const { ask, errors } = await testServing(t, trained)
  const rows = examples.slice(0, 10).map(({ content }) => (content as Extract<Content, { kind: 'row' }>).values)
  const expected = await (await loadVersion(project, 'champion')).predict(
    examples.slice(0, 10).map(({ content }) => content),
  )
  const { body } = await ask('POST', '/predict?wait=logged', rows)
  assert.deepEqual(
    body.map(({ label }: { label: string }) => label),
    expected.map((one) => 'label' in one && one.label),
  )
  const logged = await project.store.db.selectFrom('prediction').select('content').orderBy('number').execute()
  const ids = await project.store.db.selectFrom('example').select('id').orderBy('number').limit(10).execute()
  assert.deepEqual(
    logged.map(({ content }) => content),
    ids.map(({ id }) => id),
  )

  const [name = ''] = Object.keys(rows[0] ?? {})
  assert.equal((await ask('POST', '/predict', { [name]: rows[0]?.[name] })).status, 200)
  const refused = async (value: unknown) => (await ask('POST', '/predict', value)).body.error as string
  assert.match(await refused({ ...rows[0], bil_length: 3 }), /There is no field "bil_length"; there are: /)
  assert.match(await refused({}), /No field is given/)
  assert.match(
    await refused({ 'Body Mass (g)': 'heavy' }),
    /'Body Mass \(g\)' must be a finite number or null, not "heavy"\./,
  )
  assert.match(await refused([rows[0], { 'Body Mass (g)': true }]), /^Input 2: /)

  const one = (await ask('POST', '/predict', rows[0])).body
  const many = (await ask('POST', '/predict?ensemble=16&wait=logged', rows[0])).body
  assert.equal(many.logged, true)
  const mean = Object.values(many.probabilities) as number[]
  assert.ok(Math.abs(mean.reduce((a, b) => a + b) - 1) < 1e-4)
  assert.notDeepEqual(many.probabilities, one.probabilities)
  assert.ok(Math.abs(many.uncertainty - one.uncertainty) < 0.3)
  assert.match((await ask('POST', '/predict?ensemble=1', rows[0])).body.error, /from 2 to 32, not "1"/)

  const metadata = (await ask('GET', `/v2/models/${project.name}`)).body
  const inputs = metadata.inputs.map(({ name, datatype }: { name: string; datatype: string }) => ({
    name,
    datatype,
    shape: [10],
    data: rows.map((row) => row[name] ?? null),
  }))
  const infer = (await ask('POST', `/v2/models/${project.name}/infer`, { inputs, outputs: [{ name: 'label' }] })).body
  assert.deepEqual(
    infer.outputs[0].data,
    expected.map((one) => 'label' in one && one.label),
  )
  const validation = await new Validator().validate((await ask('GET', '/openapi.json')).body)
  assert.ok(validation.valid, JSON.stringify(validation.errors))
  assert.deepEqual(errors, [])
})

test('texts: as JSON, as plain text, and as BYTES', async (t) => {
  const trained = await withChampion(await mailProject(t))
  const { project } = trained
  const { ask } = await testServing(t, trained)
  const text = 'Free money: click here now, you have won!'
  const labels = [
    (await ask('POST', '/predict', { text })).body.label,
    (await ask('POST', '/predict', text, { 'content-type': 'text/plain; charset=utf-8' })).body.label,
    (
      await ask('POST', `/v2/models/${project.name}/infer`, {
        inputs: [{ name: 'text', datatype: 'BYTES', shape: [1], data: [text] }],
      })
    ).body.outputs[0].data[0],
  ]
  const [answer] = await (await loadVersion(project, 'champion')).predict([{ kind: 'text', text }])
  assert.ok(answer && 'label' in answer)
  assert.deepEqual(labels, Array(3).fill(answer.label))
  assert.match((await ask('POST', '/predict', { text: ' ' })).body.error, /The text is empty\./)
  assert.match((await ask('POST', '/predict', { txt: 'a' })).body.error, /There is no field "txt"; there are: text\./)
})

test('tokens: an address of the network is served only with them, and a revoked one is refused within a second', async (t) => {
  const trained = await withChampion(await penguinProject(t, { epochs: 1 }))
  const { project } = trained
  await assert.rejects(serve(project, { host: '0.0.0.0', port: 0 }), /no token yet: `descent token create NAME`/)
  await assert.rejects(serve(project, { requireToken: true, port: 0 }), /Tokens are asked for/)
  const token = await createToken(project, 'shop', { perMinute: 5 })
  const { ask } = await testServing(t, trained, { host: '0.0.0.0' })
  const row = { 'Body Mass (g)': 4000 }
  assert.equal((await ask('GET', '/v2/health/live')).status, 200)
  for (const path of ['/', '/metrics', '/openapi.json', '/v2']) assert.equal((await ask('GET', path)).status, 401)
  assert.equal((await ask('POST', '/predict', row)).status, 401)
  const mine = { authorization: `Bearer ${token}` }
  assert.equal((await ask('POST', '/predict?wait=logged', row, mine)).status, 200)
  const logged = await project.store.db.selectFrom('prediction').select('token').executeTakeFirstOrThrow()
  assert.equal(logged.token, 'shop')
  const statuses: number[] = []
  for (let i = 0; i < 5; i++) statuses.push((await ask('POST', '/predict', row, mine)).status)
  assert.deepEqual(statuses, [200, 200, 200, 200, 429])
  await revokeToken(project, 'shop')
  let status = 429
  for (let i = 0; i < 40 && status !== 401; i++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    status = (await ask('POST', '/predict', row, mine)).status
  }
  assert.equal(status, 401)
})

test('without a champion there is nothing to serve; a taken port is named', async (t) => {
  const trained = await penguinProject(t, { epochs: 1 })
  await assert.rejects(serve(trained.project, { port: 0 }), /no champion to serve/)
  assert.equal(await currentVersion(trained.project, 'champion'), null)
  const { serving } = await testServing(t, await withChampion(trained))
  const port = Number(new URL(serving.address).port)
  await assert.rejects(serve(trained.project, { port }), new RegExp(`Port ${port} is taken`))
})
