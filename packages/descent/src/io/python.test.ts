/**
 * Files between Descent and Python's own packages, where they are installed: the Python that DESCENT_PYTHON names, or
 * python3, with numpy; and with safetensors and torch for the second test.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setDevice } from '../backend.ts'
import { tensor } from '../create.ts'
import { BatchNorm2d } from '../nn/batch-norm.ts'
import { Conv2d } from '../nn/conv.ts'
import { Flatten } from '../nn/flatten.ts'
import { Linear } from '../nn/linear.ts'
import { Sequential } from '../nn/sequential.ts'
import { SGD } from '../optim/sgd.ts'
import { randn } from '../random.ts'
import { loadNpy, loadNpz, saveNpy, saveNpz } from './numpy.ts'
import { loadSafetensors, saveSafetensors } from './safetensors.ts'

const python = process.env.DESCENT_PYTHON ?? 'python3'

function missing(...packages: readonly string[]): string | false {
  const code = `import importlib.util as u; print([p for p in ${JSON.stringify(packages)} if u.find_spec(p) is None])`
  const { status, stdout } = spawnSync(python, ['-c', code], { encoding: 'utf8' })
  if (status !== 0) return `${python} does not run here; name one in DESCENT_PYTHON`
  return stdout.trim() === '[]' ? false : `${python} lacks ${stdout.trim()}`
}

const folder = mkdtempSync(join(tmpdir(), 'python-'))
after(() => rmSync(folder, { recursive: true }))

function run(code: string): unknown {
  const { status, stdout, stderr } = spawnSync(python, ['-c', code], { encoding: 'utf8', cwd: folder })
  assert.equal(status, 0, stderr)
  return JSON.parse(stdout)
}

test('NumPy reads what Descent writes, and Descent what NumPy writes', { skip: missing('numpy') }, async () => {
  const x = tensor([
    [1.5, -2, 0.1],
    [4, Number.POSITIVE_INFINITY, -0],
  ])
  const places = tensor([7, -8], { dtype: 'i32' })
  const mask = tensor([true, false])
  await saveNpy(join(folder, 'x.npy'), x)
  await saveNpz(join(folder, 'plain.npz'), { x, places, mask })
  await saveNpz(join(folder, 'packed.npz'), { x, places, mask }, { compressed: true })
  const seen = run(`
import numpy as np, json
x = np.load('x.npy')
seen = [[str(x.dtype), x.shape, x.astype(str).tolist()]]
for file in ('plain.npz', 'packed.npz'):
    archive = np.load(file)
    seen += [[name, str(archive[name].dtype), archive[name].astype(str).tolist()] for name in archive]
    np.savez_compressed('back-' + file, **archive)
np.save('turned.npy', np.asfortranarray(x.astype('>f8')))
print(json.dumps(seen))`)
  const values = [
    ['1.5', '-2.0', '0.1'],
    ['4.0', 'inf', '-0.0'],
  ]
  const archive = [
    ['x', 'float32', values],
    ['places', 'int32', ['7', '-8']],
    ['mask', 'bool', ['True', 'False']],
  ]
  assert.deepEqual(seen, [['float32', [2, 3], values], ...archive, ...archive])
  for (const file of ['back-plain.npz', 'back-packed.npz']) {
    const back = await loadNpz(join(folder, file))
    assert.deepEqual(
      Object.entries(back).map(([name, y]) => [name, y.dtype, y.toArray()]),
      [
        ['x', 'f32', x.toArray()],
        ['places', 'i32', places.toArray()],
        ['mask', 'bool', mask.toArray()],
      ],
    )
  }
  assert.deepEqual((await loadNpy(join(folder, 'turned.npy'))).toArray(), x.toArray())
})

const network = () =>
  new Sequential(new Conv2d(2, 3, 3, { padding: 1 }), new BatchNorm2d(3), new Flatten(), new Linear(48, 4))

test('safetensors go both ways between Descent and PyTorch, which compute the same', {
  skip: missing('numpy', 'safetensors', 'torch'),
}, async () => {
  setDevice('wasm')
  const net = network()
  const x = randn([5, 2, 4, 4])
  const sgd = new SGD(net.parameters(), { lr: 0.05, momentum: 0.9 })
  net.forward(x).square().mean().backward()
  sgd.step()
  net.eval()
  await saveSafetensors(join(folder, 'net.safetensors'), net.stateDict())
  await saveSafetensors(join(folder, 'x.safetensors'), { x })
  await saveSafetensors(join(folder, 'sgd.safetensors'), sgd.stateDict())
  const seen = run(`
import torch, json
from torch import nn
from safetensors.torch import load_file, save_file
net = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(48, 4))
state = load_file('net.safetensors')
problems = net.load_state_dict(state, strict=False)
x = load_file('x.safetensors')['x']
net.eval()
with torch.no_grad(): y = net(x)
other = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(48, 4)).train()
other(x)
other.eval()
with torch.no_grad(): z = other(x)
save_file(other.state_dict(), 'other.safetensors', metadata={'format': 'pt'})
save_file({
    'half': torch.tensor([1.0, -2.5, 65504]).half(), 'bfloat': torch.tensor([1.0, -2.5, 3e38]).bfloat16(),
    'double': torch.tensor([0.1], dtype=torch.float64), 'long': torch.tensor([[-5], [2**31 - 1]]),
    'byte': torch.tensor([255], dtype=torch.uint8), 'bool': torch.tensor([True, False]),
    'scalar': torch.tensor(3.5), 'int16': torch.tensor([-300], dtype=torch.int16),
}, 'kinds.safetensors')
print(json.dumps({'missing': problems.missing_keys, 'unexpected': problems.unexpected_keys, 'y': y.tolist(), 'z': z.tolist(),
    'momentum': list(load_file('sgd.safetensors')['momentum_buffer.0'].shape)}))`) as Record<string, unknown>
  assert.deepEqual([seen.missing, seen.unexpected], [[], []])
  assert.deepEqual(seen.momentum, [3, 2, 3, 3])
  const close = (got: Iterable<number>, want: unknown): void => {
    const wanted = (want as number[][]).flat()
    for (const [i, value] of [...got].entries()) assert.ok(Math.abs(value - (wanted[i] as number)) < 1e-5, `${i}`)
  }
  close(net.forward(x).data(), seen.y)
  const other = network().eval()
  other.loadStateDict(await loadSafetensors(join(folder, 'other.safetensors')))
  close(other.forward(x).data(), seen.z)
  const kinds = await loadSafetensors(join(folder, 'kinds.safetensors'))
  assert.deepEqual(Object.fromEntries(Object.entries(kinds).map(([name, t]) => [name, [t.dtype, t.toArray()]])), {
    half: ['f32', [1, -2.5, 65504]],
    bfloat: ['f32', [1, -2.5, 3.00405527047391e38]],
    double: ['f32', [Math.fround(0.1)]],
    long: ['i32', [[-5], [2147483647]]],
    byte: ['i32', [255]],
    bool: ['bool', [true, false]],
    scalar: ['f32', 3.5],
    int16: ['i32', [-300]],
  })
})
