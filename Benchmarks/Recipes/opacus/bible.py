"""The next byte of a text, as `bible.json`: a transformer of two blocks of width 64, its head tied to the embedding."""

import torch
from torch.nn import functional

from private_run import FOLDER, train

WINDOW, WIDTH, HEADS = 64, 64, 4


def read(name):
    text = torch.frombuffer(bytearray((FOLDER / name).read_bytes()), dtype=torch.uint8).long()
    return text[: len(text) // WINDOW * WINDOW].view(-1, WINDOW)


class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.attention_norm, self.hidden_norm = torch.nn.LayerNorm(WIDTH), torch.nn.LayerNorm(WIDTH)
        self.query, self.key, self.value, self.output = (torch.nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.hidden, self.projection = torch.nn.Linear(WIDTH, 4 * WIDTH), torch.nn.Linear(4 * WIDTH, WIDTH)

    def attention(self, values):
        """Causal, and of dense layers that hooks see: Opacus's own refuses masks where batches come first."""
        heads = (part(values).unflatten(2, (HEADS, -1)).transpose(1, 2) for part in (self.query, self.key, self.value))
        mixed = functional.scaled_dot_product_attention(*heads, is_causal=True)
        return self.output(mixed.transpose(1, 2).flatten(2))

    def forward(self, values):
        values = values + self.attention(self.attention_norm(values))
        return values + self.projection(functional.gelu(self.hidden(self.hidden_norm(values))))


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.positions = torch.nn.Embedding(256, WIDTH), torch.nn.Embedding(WINDOW, WIDTH)
        torch.nn.init.normal_(self.embedding.weight, std=WIDTH**-0.5)
        torch.nn.init.normal_(self.positions.weight, std=WIDTH**-0.5)
        self.blocks = torch.nn.Sequential(Block(), Block())
        self.norm = torch.nn.LayerNorm(WIDTH)
        self.head = torch.nn.Linear(WIDTH, 256, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, tokens):
        places = torch.arange(WINDOW).expand(len(tokens), WINDOW)
        return self.head(self.norm(self.blocks(self.embedding(tokens) + self.positions(places))))


def loss(outputs, tokens):
    """The mean over the positions that have a next byte, for each window."""
    return functional.cross_entropy(outputs[:, :-1].mT, tokens[:, 1:], reduction="none").mean(1)


def perplexity(model, tokens):
    with torch.no_grad():
        losses = torch.cat([loss(model(chunk), chunk) for chunk in tokens.split(512)])
    return losses.mean().exp().item()


training, test = read("train.txt"), read("test.txt")
model = train(
    Model(), loss, (training, training), epsilon=8, batch=512, steps=300, clip=1, microbatch=256,
    optimizer=lambda parameters: torch.optim.Adam(parameters, lr=4e-3))
print(f"test perplexity {perplexity(model, test):.3f} a byte")
