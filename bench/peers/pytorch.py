"""PyTorch as a contender, eager, with the better of one thread and all."""
import sys

try:
    import torch
    import torch.nn as nn
    import torch.nn.functional as F
except ImportError:
    print('cannot not installed')
    sys.exit(0)

from contender import better_threads, gemm_sizes, serve

best_threads = None


def mlp(*widths, act=nn.ReLU):
    layers = []
    for i in range(len(widths) - 1):
        layers.append(nn.Linear(widths[i], widths[i + 1]))
        if i + 2 < len(widths):
            layers.append(act())
    return nn.Sequential(*layers)


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(9216, 128), nn.ReLU(), nn.Linear(128, 10))


class Block(nn.Module):
    def __init__(self, width, heads, hidden):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.projection, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x):
        n, t, width = x.shape
        split = self.projection(self.norm1(x)).view(n, t, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(split[0], split[1], split[2], is_causal=True)
        x = x + self.out(attended.transpose(1, 2).reshape(n, t, width))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Decoder(nn.Module):
    def __init__(self, layers=4, width=128, heads=4, hidden=512, length=64, vocabulary=96):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Parameter(torch.randn(length, width) * 0.02)
        self.blocks = nn.Sequential(*[Block(width, heads, hidden) for _ in range(layers)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)

    def forward(self, ids):
        return self.head(self.norm(self.blocks(self.tokens(ids) + self.positions))).flatten(0, 1)


def training(net, optimizer, x, y, loss=F.cross_entropy):
    def step():
        optimizer.zero_grad()
        value = loss(net(x), y)
        value.backward()
        optimizer.step()
        return value.item()
    return step


def inference(net, x):
    net.eval()

    def step():
        with torch.inference_mode():
            return net(x).numpy()
    return step


def build(workload):
    classes = lambda n, count: torch.randint(0, count, (n,))
    if workload == 'W1':
        net = mlp(2, 8, 8, 1, act=nn.Tanh)
        return training(net, torch.optim.SGD(net.parameters(), 0.1), torch.randn(64, 2), torch.randn(64, 1), F.mse_loss)
    if workload.startswith('W2_b'):
        batch, net = int(workload[4:]), mlp(784, 128, 10)
        return training(net, torch.optim.Adam(net.parameters()), torch.randn(batch, 784), classes(batch, 10))
    if workload == 'W3':
        net = mlp(1024, 2048, 2048, 10)
        return training(net, torch.optim.Adam(net.parameters()), torch.randn(256, 1024), classes(256, 10))
    if workload == 'W4':
        net = cnn()
        return training(net, torch.optim.Adam(net.parameters()), torch.randn(64, 1, 28, 28), classes(64, 10))
    if workload == 'W5_mlp':
        return inference(mlp(784, 128, 10), torch.randn(1, 784))
    if workload == 'W5_cnn':
        return inference(cnn(), torch.randn(1, 1, 28, 28))
    if workload == 'W6':
        net = Decoder()
        text = classes(16 * 64 + 1, 96)
        optimizer = torch.optim.AdamW(net.parameters(), 3e-4)
        return training(net, optimizer, text[:-1].view(16, 64), text[1:])
    if workload == 'W7':
        x = torch.randn(10_000_000)

        def step():
            with torch.inference_mode():
                return (torch.tanh(1.5 * x + 0.5) * x + torch.relu(x)).sum().item()
        return step
    if workload == 'W9':
        net = nn.LSTM(128, 128)
        x, y = torch.randn(128, 32, 128), torch.randn(128, 32, 128)
        return training(net, torch.optim.Adam(net.parameters()), x, y, lambda result, y: F.mse_loss(result[0], y))
    if workload.startswith('GEMM_'):
        m, k, n = gemm_sizes(workload)
        a, b, c = torch.randn(m, k), torch.randn(k, n), torch.empty(m, n)
        return lambda: torch.matmul(a, b, out=c)
    return 'not written'


def prepare(workload, threads):
    global best_threads
    step = build(workload)
    if isinstance(step, str):
        return step
    best_threads = better_threads(step, threads, torch.set_num_threads)
    return step


torch.manual_seed(0)
if sys.argv[1:] == ['once']:
    print('done', build('W2_b32')(), flush=True)
else:
    serve(prepare, lambda: best_threads)
