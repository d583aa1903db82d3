"""Which language a word is of, as `languages.json`: bytes, an embedding of 64, a GRU of 64, its last state."""

import torch
from opacus.layers import DPGRU
from torch.nn import functional

from private_run import FOLDER, report_accuracy, train

LANGUAGES = ["english", "german", "french", "spanish", "italian", "polish", "portuguese", "swedish"]
LENGTH = 24


def read(name):
    tokens, lengths, labels = [], [], []
    for line in (FOLDER / name).read_bytes().splitlines():
        label, word = line.split(b"\t")
        word = word[:LENGTH]
        tokens.append(list(word) + [0] * (LENGTH - len(word)))
        lengths.append(len(word))
        labels.append(LANGUAGES.index(label.decode()))
    return torch.cat([torch.tensor(lengths)[:, None], torch.tensor(tokens)], 1), torch.tensor(labels)


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(256, 64)
        self.gru = DPGRU(64, 64, batch_first=True)
        self.head = torch.nn.Linear(64, len(LANGUAGES))

    def forward(self, words):
        """The first column is the length."""
        states, _ = self.gru(self.embedding(words[:, 1:]))
        return self.head(states[torch.arange(len(words)), words[:, 0] - 1])


training, test = read("train.txt"), read("test.txt")
model = train(
    Model(), lambda outputs, labels: functional.cross_entropy(outputs, labels, reduction="none"), training,
    epsilon=2, batch=1024, steps=400, clip=1, optimizer=lambda parameters: torch.optim.Adam(parameters, lr=4e-3))
report_accuracy(model, *test)
