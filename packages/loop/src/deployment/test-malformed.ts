/**
 * For tests and measurements: requests that are wrong, in endless variety from a seed, for a server of digits (28 × 28 grey) that
 * asks no token on this machine. Each must be answered with a status from 400 to 499 and one sentence.
 */
import { connect } from 'node:net'
import type { Random } from '../random.ts'

export interface Malformed {
  readonly kind: string
  readonly bytes: Buffer
  /** The sender stops half-way and waits for an answer. */
  readonly stalls?: boolean
}

interface Target {
  /** The model's name. */
  readonly model: string
  /** Bytes that a body may have. */
  readonly maxBody: number
}

type Make = (random: Random, target: Target) => Malformed

const pick = <T>(random: Random, items: readonly T[]): T => items[random.below(items.length)] as T

function request(
  kind: string,
  method: string,
  path: string,
  body: Buffer | string = '',
  headers: Readonly<Record<string, string | number>> = {},
): Malformed {
  const bytes = Buffer.from(body)
  const all = { host: 'localhost', 'content-type': 'application/json', 'content-length': bytes.length, ...headers }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return {
    kind,
    bytes: Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1'), bytes]),
  }
}

const digit = () => JSON.stringify({ pixels: Array(784).fill(7) })
const infer = (input: object) =>
  JSON.stringify({
    inputs: [{ name: 'image', datatype: 'UINT8', shape: [1, 28, 28, 1], data: Array(784).fill(7), ...input }],
  })

const wrongJson: Make = (random) => {
  const whole = digit()
  const texts = [
    whole.slice(0, 1 + random.below(whole.length - 1)),
    whole.replace(',', pick(random, [';', ',,', '\u0000', '}', '"'])),
    '['.repeat(1 + random.below(20_000)),
    `${'{"a":'.repeat(500)}1${'}'.repeat(500)}`,
    '',
    ' ',
    'NaN',
    'undefined',
    "{'pixels': [1]}",
    String(random.uniform()),
    '"text"',
    'null',
    'true',
    '[]',
    '[[]]',
    '{}',
    '{"__proto__": {"pixels": [1]}}',
    '{"constructor": 1}',
  ]
  const text = pick(random, texts)
  if (random.below(8) > 0) return request('wrong JSON', 'POST', '/predict', text)
  const noise = Buffer.from(Array.from({ length: 1 + random.below(300) }, () => random.below(256)))
  return request('wrong JSON', 'POST', '/predict', Buffer.concat([Buffer.from([0xff]), noise]))
}

const wrongShape: Make = (random) => {
  const values: unknown[] = Array(784).fill(0)
  values[random.below(784)] = pick<unknown>(random, [-1, 256, 1.5, '7', null, 1e300, true, [1], {}])
  const bodies = [
    { pixels: Array(random.below(783)).fill(1) },
    { pixels: values },
    { pixels: 'AAAA' },
    { pixels: Array(784).fill(1), width: random.below(28), height: 28 },
    { pixels: Array(784).fill(1), width: 1e9, height: 1e9 },
    { pixels: Array(784).fill(1), channels: 2 },
    { pixels: Array(784).fill(1), colour: 'red' },
    { image: '###' },
    { image: 'iVBORw0KGgo=' },
    { image: 12 },
    { image: Buffer.from('\u00ff\u00d8\u00ff nonsense', 'latin1').toString('base64') },
    { text: 'a digit' },
    Array.from({ length: 65 }, () => ({ pixels: [] })),
  ]
  return request('wrong shape', 'POST', '/predict', JSON.stringify(pick(random, bodies)))
}

const wrongBytes: Make = (random) => {
  const type = pick(random, ['application/octet-stream', 'image/png', 'image/jpeg'])
  const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')
  const noise = Buffer.from(Array.from({ length: random.below(700) }, () => random.below(256)))
  const huge = Buffer.concat([png, Buffer.from('7fffffff7fffffff0806000000', 'hex'), noise])
  const small = Buffer.concat([png, Buffer.from('0000001c0000001c0800000000', 'hex'), noise])
  const body = pick(random, [noise, huge, small, Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), noise])])
  return request('wrong bytes', 'POST', '/predict', body.length === 784 ? body.subarray(1) : body, {
    'content-type': type,
  })
}

const wrongTensor: Make = (random, { model }) => {
  const inputs = [
    { shape: [1, 28, 28] },
    { shape: [-1, 28, 28, 1] },
    { shape: [1, 28, 28, 2], data: Array(1568).fill(0) },
    { shape: [2 ** 31, 2 ** 31, 2 ** 31, 2 ** 31] },
    { shape: 'large' },
    { shape: [] },
    { shape: [0, 28, 28, 1], data: [] },
    { datatype: pick(random, ['FP16', 'uint8', '', 7, null, 'FP32']) },
    { name: pick<unknown>(random, ['images', 7, null, 'x'.repeat(5000)]) },
    { data: Array(random.below(783)).fill(1) },
    { data: Array(784).fill(random.below(1000) + 256) },
    { data: 'AAAA' },
    { data: [[[[[[[1]]]]]]] },
    { parameters: { binary_data_size: pick<unknown>(random, [784, -1, 'many', 1e12]) } },
  ]
  const bodies = [
    infer(pick(random, inputs)),
    infer(pick(random, inputs)),
    infer(pick(random, inputs)),
    JSON.stringify({ inputs: pick<unknown>(random, [[], {}, 'x', 7, [7], [null], null]) }),
    JSON.stringify({ ...JSON.parse(infer({})), outputs: pick<unknown>(random, ['label', [{ name: 'nothing' }], [7]]) }),
    JSON.stringify({ ...JSON.parse(infer({})), id: 7 }),
  ]
  const headers: Record<string, string> =
    random.below(5) === 0 ? { 'inference-header-content-length': pick(random, ['-1', '1e9', 'x', '1']) } : {}
  return request('wrong tensor', 'POST', `/v2/models/${model}/infer`, pick(random, bodies), headers)
}

const wrongPath: Make = (random, { model }) => {
  const tricks = [
    '/../../etc/passwd',
    '/..%2f..%2fetc%2fpasswd',
    '/%2e%2e/%2e%2e/.descent/project.db',
    '//predict',
    '/predict/',
    '/Predict',
    '/predict%00',
    `/${'a'.repeat(1 + random.below(9000))}`,
    `/${'../'.repeat(1 + random.below(500))}etc/passwd`,
    `/v2/models/${model}/versions/0`,
    `/v2/models/${model}/versions/-1`,
    `/v2/models/${model}/versions/1e3`,
    `/v2/models/${model}/versions/999999`,
    `/v2/models/${model}/versions/%ff`,
    `/v2/models/..%2f${model}`,
    '/v2/models/%',
    '/v2/models/other',
    '/v2/models//infer',
    "/feedback/' or 1=1 --",
    '/descent.config.ts',
    '/.descent/project.db',
    'http://127.0.0.1/../x',
    '*',
    '/\\..\\..\\x',
    '/<script>alert(1)</script>',
  ]
  return request('path trick', 'GET', pick(random, tricks).replaceAll(' ', '%20'))
}

const wrongToken: Make = (random) => {
  const noise = Array.from({ length: 1 + random.below(60) }, () => pick(random, [...'abcXYZ0189-_'])).join('')
  const value = pick(random, [
    `Bearer descent_${noise}`,
    `Bearer ${noise}`,
    'Bearer',
    `Basic ${noise}`,
    noise,
    `Bearer ${'x'.repeat(8000)}`,
  ])
  return request('wrong token', 'POST', '/predict', digit(), { authorization: value })
}

const wrongRequest: Make = (random) => {
  const bytes = Buffer.alloc(784)
  const raw = { 'content-type': 'application/octet-stream' }
  const id = '0199c1f2-7d1e-7a63-9b0c-5f6f1f0e9a11'
  return pick(random, [
    request('wrong request', pick(random, ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']), '/predict'),
    request('wrong request', 'POST', '/metrics', digit()),
    request('wrong request', 'POST', '/predict?wait=forever', bytes, raw),
    request('wrong request', 'POST', `/predict?${'a=b&'.repeat(1 + random.below(100))}`, bytes, raw),
    request('wrong request', 'POST', '/predict', bytes, {
      'content-type': pick(random, ['text/html', 'multipart/form-data; boundary=x', 'x'.repeat(300), 'text/plain']),
    }),
    request('wrong request', 'POST', '/predict', bytes, {
      ...raw,
      'content-encoding': pick(random, ['gzip', 'br', 'x']),
    }),
    request('wrong request', 'POST', '/predict', bytes, { ...raw, host: 'evil.example' }),
    request('wrong request', 'POST', `/feedback/${id}`, JSON.stringify({ value: '7' })),
    request(
      'wrong request',
      'POST',
      `/feedback/${id}`,
      JSON.stringify(
        pick<unknown>(random, [
          { value: 'eleven' },
          { value: 7 },
          {},
          7,
          { value: '7', who: 1 },
          { value: '7', more: 1 },
        ]),
      ),
    ),
    request('wrong request', 'POST', '/predict', bytes, {
      ...raw,
      'content-length': pick(random, ['-1', 'x', '1e3', '0x10']),
    }),
    request('wrong request', 'POST', '/predict', digit(), { 'x-large': 'x'.repeat(17_000) }),
    {
      kind: 'no HTTP',
      bytes: Buffer.from(
        pick(random, [
          'hello\r\n\r\n',
          '\u0016\u0003\u0001\u0002',
          'GET\r\n\r\n',
          'POST /predict HTTP/9.9\r\n\r\n',
          'POST /predict HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\nHost: localhost\r\n\r\n',
        ]),
      ),
    },
  ])
}

const hugeBody: Make = (random, { maxBody }) => {
  const length = maxBody + 1 + random.below(1000)
  const path = pick(random, ['/predict', '/feedback/0199c1f2-7d1e-7a63-9b0c-5f6f1f0e9a11'])
  if (random.below(2) === 0) return request('huge body', 'POST', path, Buffer.alloc(length, 'a'))
  const { bytes } = request('huge body', 'POST', path, '', { 'transfer-encoding': 'chunked' })
  const head = bytes.toString('latin1').replace(/content-length: 0\r\n/, '')
  const chunk = `10000\r\n${'a'.repeat(65_536)}\r\n`
  return {
    kind: 'huge body',
    bytes: Buffer.from(`${head}${chunk.repeat(Math.ceil(length / 65_536))}0\r\n\r\n`, 'latin1'),
  }
}

const slowSender: Make = (random) => {
  const { bytes } = request('slow sender', 'POST', '/predict', digit())
  return { kind: 'slow sender', bytes: bytes.subarray(0, 1 + random.below(bytes.length - 2)), stalls: true }
}

const quick = [wrongJson, wrongShape, wrongBytes, wrongTensor, wrongPath, wrongToken, wrongRequest]

/** The `i`-th of them: a slow sender and a huge body in every hundred or so. */
export function malformedRequest(i: number, random: Random, target: Target): Malformed {
  if (i % 97 === 11) return slowSender(random, target)
  if (i % 89 === 7) return hugeBody(random, target)
  return (quick[i % quick.length] as Make)(random, target)
}

export interface Refusal {
  readonly status: number
  readonly body: string
}

/** Sends the bytes on a connection of their own; the first answer, or null where the connection ended without one. */
export function sendRaw(port: number, { bytes }: Malformed, timeout = 30_000): Promise<Refusal | null> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    let answer = Buffer.alloc(0)
    const end = (refusal: Refusal | null) => {
      socket.destroy()
      resolve(refusal)
    }
    socket.setTimeout(timeout, () => end(null))
    socket.on('connect', () => socket.write(bytes))
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk])
      const refusal = whole(answer)
      if (refusal) end(refusal)
    })
    socket.on('error', () => end(whole(answer)))
    socket.on('close', () => end(whole(answer)))
  })
}

function whole(answer: Buffer): Refusal | null {
  const head = answer.indexOf('\r\n\r\n')
  if (head < 0) return null
  const text = answer.toString('latin1', 0, head)
  const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0)
  if (answer.length < head + 4 + length) return null
  return { status: Number(text.slice(9, 12)), body: answer.toString('utf8', head + 4, head + 4 + length) }
}

/** What is wrong with a refusal, in a sentence; null where it is as it should be. */
export function faultOf(refusal: Refusal | null): string | null {
  if (!refusal) return 'no answer'
  const { status, body } = refusal
  if (status < 400 || status > 499) return `status ${status}: ${body.slice(0, 200)}`
  let error: unknown
  try {
    error = (JSON.parse(body) as { error?: unknown }).error
  } catch {
    return `${status} without JSON: ${body.slice(0, 200)}`
  }
  if (typeof error !== 'string' || !/^\S.{10,700}\.$/s.test(error))
    return `${status} without a sentence: ${body.slice(0, 300)}`
  return null
}
