import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { loadVersion } from '../../registry/load-version.ts'
import { digitProject } from '../../registry/test-versions.ts'
import type { ImageContent } from '../../store/content.ts'
import { testServing, withChampion } from '../test-serving.ts'

/** Runs a Python program; what it printed, or null where it failed. */
function python(program: string, args: readonly string[], input: Uint8Array | string = ''): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn('python3', ['-c', program, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
    let out = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
    })
    child.on('error', () => resolve(null))
    child.on('close', (code) => resolve(code === 0 ? out : null))
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}

const installed = (await python('import numpy, tritonclient.http', [])) !== null

/** Asks with binary tensors and with JSON, for the champion and for a version. */
const program = `
import json, sys
import numpy as np
import tritonclient.http as triton
client = triton.InferenceServerClient(sys.argv[1])
model = sys.argv[2]
assert client.is_server_live() and client.is_server_ready()
assert client.is_model_ready(model) and client.is_model_ready(model, '1') and not client.is_model_ready('nothing')
[tensor] = client.get_model_metadata(model)['inputs']
images = np.frombuffer(sys.stdin.buffer.read(), dtype=np.uint8).reshape(-1, *tensor['shape'][1:])
answers = []
for binary in (True, False):
    for version in ('', '1'):
        image = triton.InferInput(tensor['name'], images.shape, tensor['datatype'])
        image.set_data_from_numpy(images, binary_data=binary)
        outputs = [triton.InferRequestedOutput(name, binary_data=binary) for name in ('label', 'probabilities')]
        result = client.infer(model, [image], outputs=outputs, model_version=version, request_id='mine')
        assert result.get_response()['id'] == 'mine'
        assert np.allclose(result.as_numpy('probabilities').sum(axis=1), 1, atol=1e-4)
        answers.append([x.decode() if isinstance(x, bytes) else x for x in result.as_numpy('label')])
try:
    image = triton.InferInput('image', [1, 5], 'FP32')
    image.set_data_from_numpy(np.zeros((1, 5), np.float32))
    client.infer(model, [image])
except triton.InferenceServerException as error:
    answers.append([error.status(), error.message()])
print(json.dumps(answers))
`

test('a client of the Open Inference Protocol, tritonclient, gets the answers that the model gives', {
  skip: installed ? false : 'the Python package tritonclient[http] is not installed',
}, async (t) => {
  const trained = await withChampion(await digitProject(t))
  const { project, examples } = trained
  const { serving } = await testServing(t, trained)
  const contents = examples.slice(0, 5).map(({ content }) => content as ImageContent)
  const expected = await (await loadVersion(project, 'champion')).predict(contents)
  const labels = expected.map((one) => ('label' in one ? one.label : null))
  const pixels = Buffer.concat(contents.map(({ bytes }) => bytes))
  const out = await python(program, [new URL(serving.address).host, project.name], pixels)
  assert.ok(out)
  const answers = JSON.parse(out) as string[][]
  assert.deepEqual(answers.slice(0, 4), Array(4).fill(labels))
  assert.equal(answers[4]?.[0], '400')
  assert.match(answers[4]?.[1] ?? '', /^Input 'image' must be UINT8/)
})
