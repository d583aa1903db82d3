"""What a private step costs with Opacus's ghost clipping, for networks of `dpbench step`: the perceptron and the
transformer, with Adam, on random examples. Prints processor milliseconds a step, the median of RUNS.

    opacus-environment/bin/python Benchmarks/Recipes/opacus/ghost.py perceptron|transformer BATCH [RUNS [THREADS]]

Beside it: `dpbench step --batch BATCH` and `dpbench step --model transformer --batch BATCH`, with `--threads THREADS`.
"""

import statistics
import sys
import time
import warnings

import torch
from opacus import PrivacyEngine
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
NAME, BATCH = sys.argv[1], int(sys.argv[2])
RUNS = int(sys.argv[3]) if len(sys.argv) > 3 else 11
torch.set_num_threads(int(sys.argv[4]) if len(sys.argv) > 4 else 1)
torch.manual_seed(0)
POSITIONS, WIDTH, HEADS = 64, 64, 4


class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.attention_norm, self.hidden_norm = torch.nn.LayerNorm(WIDTH), torch.nn.LayerNorm(WIDTH)
        self.query, self.key, self.value, self.output = (torch.nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.hidden, self.projection = torch.nn.Linear(WIDTH, 4 * WIDTH), torch.nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, values):
        normed = self.attention_norm(values)
        heads = (part(normed).unflatten(2, (HEADS, -1)).transpose(1, 2) for part in (self.query, self.key, self.value))
        mixed = functional.scaled_dot_product_attention(*heads)
        values = values + self.output(mixed.transpose(1, 2).flatten(2))
        return values + self.projection(functional.gelu(self.hidden(self.hidden_norm(values))))


class Transformer(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.positions = torch.nn.Embedding(256, WIDTH), torch.nn.Embedding(POSITIONS, WIDTH)
        self.blocks = torch.nn.Sequential(Block(), Block())
        self.norm, self.head = torch.nn.LayerNorm(WIDTH), torch.nn.Linear(WIDTH, 10)

    def forward(self, tokens):
        places = torch.arange(POSITIONS).repeat(len(tokens), 1)
        return self.head(self.norm(self.blocks(self.embedding(tokens) + self.positions(places))).mean(1))


if NAME == "transformer":
    model, inputs = Transformer(), torch.randint(0, 256, (BATCH, POSITIONS))
else:
    model = torch.nn.Sequential(torch.nn.Linear(784, 1024), torch.nn.ReLU(), torch.nn.Linear(1024, 10))
    inputs = torch.randn(BATCH, 784)
labels = torch.randint(0, 10, (BATCH,))


def measured(model, optimizer, criterion):
    """The median processor time of a step, in milliseconds."""
    times = []
    for run in range(RUNS + 1):
        begin = time.process_time()
        optimizer.zero_grad()
        criterion(model(inputs), labels).backward()
        optimizer.step()
        times.append((time.process_time() - begin) * 1e3)
    return statistics.median(times[1:])


plain = measured(model, torch.optim.Adam(model.parameters(), lr=1e-3), torch.nn.CrossEntropyLoss())
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
private, optimizer, criterion, _ = PrivacyEngine().make_private(
    module=model, optimizer=optimizer, data_loader=DataLoader(TensorDataset(inputs, labels), batch_size=BATCH),
    criterion=torch.nn.CrossEntropyLoss(), noise_multiplier=1.0, max_grad_norm=1.0, poisson_sampling=False,
    grad_sample_mode="ghost")
print(f"{NAME} {BATCH}: not private {plain:.1f}, ghost {measured(private, optimizer, criterion):.1f} ms of processors")
