"""NumPy with gradients written by hand, as a contender, with the better of one thread and all."""
import ctypes
import glob
import os
import sys

try:
    import numpy as np
except ImportError:
    print('cannot not installed')
    sys.exit(0)

from contender import better_threads, gemm_sizes, serve

rng = np.random.default_rng(0)
f32 = np.float32


def normal(*shape):
    return rng.standard_normal(shape, dtype=f32)


def layers(widths):
    return [(normal(a, b) / f32(np.sqrt(a)), np.zeros(b, f32)) for a, b in zip(widths, widths[1:])]


class Adam:
    def __init__(self, params, lr=1e-3):
        self.params, self.lr, self.t = params, lr, 0
        self.m, self.v = [np.zeros_like(p) for p in params], [np.zeros_like(p) for p in params]
        self.s = [np.empty_like(p) for p in params]

    def step(self, grads):
        self.t += 1
        size, scale = f32(self.lr / (1 - 0.9 ** self.t)), f32(1 / np.sqrt(1 - 0.999 ** self.t))
        for p, g, m, v, s in zip(self.params, grads, self.m, self.v, self.s):
            m *= f32(0.9)
            np.multiply(g, f32(0.1), out=s)
            m += s
            v *= f32(0.999)
            np.multiply(g, g, out=s)
            s *= f32(0.001)
            v += s
            np.sqrt(v, out=s)
            s *= scale
            s += f32(1e-8)
            np.divide(m, s, out=s)
            s *= size
            p -= s


def classifier(batch, widths):
    net = layers(widths)
    x, y, rows = normal(batch, widths[0]), rng.integers(0, widths[-1], batch), np.arange(batch)
    adam = Adam([p for layer in net for p in layer])

    def step():
        values = [x]
        for i, (w, b) in enumerate(net):
            h = values[-1] @ w
            h += b
            if i + 1 < len(net):
                np.maximum(h, 0, out=h)
            values.append(h)
        z = values.pop()
        z -= z.max(1, keepdims=True)
        p = np.exp(z)
        total = p.sum(1, keepdims=True)
        loss = float((np.log(total[:, 0]) - z[rows, y]).mean())
        p /= total
        p[rows, y] -= 1
        p /= f32(batch)
        grads = []
        g = p
        for i in reversed(range(len(net))):
            grads[:0] = [values[i].T @ g, g.sum(0)]
            if i > 0:
                g = g @ net[i][0].T
                g *= values[i] > 0
        adam.step(grads)
        return loss
    return step


def tiny():
    net = layers([2, 8, 8, 1])
    x, y = normal(64, 2), normal(64, 1)

    def step():
        values = [x]
        for i, (w, b) in enumerate(net):
            h = values[-1] @ w + b
            values.append(np.tanh(h) if i + 1 < len(net) else h)
        d = values.pop() - y
        loss = float((d * d).mean())
        g = d * f32(2 / 64)
        for i in reversed(range(len(net))):
            w, b = net[i]
            gw, gb = values[i].T @ g, g.sum(0)
            if i > 0:
                g = (g @ w.T) * (1 - values[i] * values[i])
            w -= f32(0.1) * gw
            b -= f32(0.1) * gb
        return loss
    return step


def inference():
    (w1, b1), (w2, b2) = layers([784, 128, 10])
    x = normal(1, 784)
    return lambda: np.maximum(x @ w1 + b1, 0) @ w2 + b2


def elementwise():
    x = normal(10_000_000)
    a, b = np.empty_like(x), np.empty_like(x)

    def step():
        np.multiply(x, f32(1.5), out=a)
        np.add(a, f32(0.5), out=a)
        np.tanh(a, out=a)
        np.multiply(a, x, out=a)
        np.maximum(x, 0, out=b)
        np.add(a, b, out=a)
        return float(a.sum())
    return step


def build(workload):
    if workload == 'W1':
        return tiny()
    if workload.startswith('W2_b'):
        return classifier(int(workload[4:]), [784, 128, 10])
    if workload == 'W3':
        return classifier(256, [1024, 2048, 2048, 10])
    if workload == 'W5_mlp':
        return inference()
    if workload == 'W7':
        return elementwise()
    if workload.startswith('GEMM_'):
        m, k, n = gemm_sizes(workload)
        a, b, c = normal(m, k), normal(k, n), np.empty((m, n), f32)
        return lambda: np.matmul(a, b, out=c)
    return 'not written'


def thread_setter():
    """The OpenBLAS that NumPy's wheels carry can change its number of threads at any time."""
    for path in glob.glob(os.path.join(os.path.dirname(np.__path__[0]), 'numpy.libs', '*openblas*')):
        library = ctypes.CDLL(path)
        for name in ('scipy_openblas_set_num_threads64_', 'openblas_set_num_threads64_', 'openblas_set_num_threads'):
            if hasattr(library, name):
                return getattr(library, name)
    return None


set_threads = thread_setter()
best_threads = None


def prepare(workload, threads):
    global best_threads
    step = build(workload)
    if isinstance(step, str) or set_threads is None:
        return step
    best_threads = better_threads(step, threads, set_threads)
    return step


if sys.argv[1:] == ['once']:
    print('done', classifier(32, [784, 128, 10])(), flush=True)
else:
    serve(prepare, lambda: best_threads)
