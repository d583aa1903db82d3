"""What a private step costs with Opacus's ghost clipping, for networks of `dpbench step`: the perceptron and the
transformer, with Adam, on random examples. Prints processor milliseconds a step, the median of RUNS.
`scripts/compare-with-peers step` times the perceptron by the clock, on both sides.

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


def perceptron(widths=(784, 1024, 10)):
    layers = [torch.nn.Linear(*widths[:2])]
    for inputs, outputs in zip(widths[1:], widths[2:]):
        layers += [torch.nn.ReLU(), torch.nn.Linear(inputs, outputs)]
    return torch.nn.Sequential(*layers)


def _adam_step(model, optimizer, criterion, inputs, labels):
    def step():
        optimizer.zero_grad()
        criterion(model(inputs), labels).backward()
        optimizer.step()

    return step


def step(model, inputs, labels):
    """A function of no arguments that takes a step without privacy."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return _adam_step(model, optimizer, torch.nn.CrossEntropyLoss(), inputs, labels)


def private_step(model, inputs, labels, mode="ghost"):
    """A function of no arguments that takes a private step, by `ghost` clipping or by `hooks` that keep the gradients
    of all examples.
    """
    data = DataLoader(TensorDataset(inputs, labels), batch_size=len(labels))
    model, optimizer, *criterion, _ = PrivacyEngine().make_private(
        module=model, optimizer=torch.optim.Adam(model.parameters(), lr=1e-3), data_loader=data,
        criterion=torch.nn.CrossEntropyLoss(), noise_multiplier=1.0, max_grad_norm=1.0, poisson_sampling=False,
        grad_sample_mode=mode)
    # Only ghost clipping has a criterion of its own.
    return _adam_step(model, optimizer, *criterion or [torch.nn.CrossEntropyLoss()], inputs, labels)


def measured(step, runs):
    """The median processor time of a step, in milliseconds."""
    times = []
    for run in range(runs + 1):
        begin = time.process_time()
        step()
        times.append((time.process_time() - begin) * 1e3)
    return statistics.median(times[1:])


def main():
    name, batch = sys.argv[1], int(sys.argv[2])
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 11
    torch.set_num_threads(int(sys.argv[4]) if len(sys.argv) > 4 else 1)
    torch.manual_seed(0)
    if name == "transformer":
        model, inputs = Transformer(), torch.randint(0, 256, (batch, POSITIONS))
    else:
        model, inputs = perceptron(), torch.randn(batch, 784)
    labels = torch.randint(0, 10, (batch,))
    plain = measured(step(model, inputs, labels), runs)
    private = measured(private_step(model, inputs, labels), runs)
    print(f"{name} {batch}: not private {plain:.1f}, ghost {private:.1f} ms of processors")


if __name__ == "__main__":
    main()
