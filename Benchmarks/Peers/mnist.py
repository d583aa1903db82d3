"""A private softmax regression on MNIST with Opacus, of the plan that `dp train` chose: batch, steps, clip norm, rate,
momentum, ε, δ and averaged steps are settings. The README's recipes beside Opacus run the same function.

    python Benchmarks/Peers/mnist.py opacus '{"threads": 2, "folder": "MNIST_FOLDER", "batch": 15000, …}'
"""

import contextlib
import gzip
import io
import pathlib
import re
import sys
import time

import numpy

import worker

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "Recipes" / "opacus"))


def read(folder, name):
    """An idx file, plain or .gz: the numbers after the shape."""
    path = folder / name
    data = path.read_bytes() if path.exists() else gzip.decompress((folder / f"{name}.gz").read_bytes())
    dimensions = data[3]
    shape = numpy.frombuffer(data, ">u4", dimensions, 4)
    return numpy.frombuffer(data, numpy.uint8, offset=4 + 4 * dimensions).reshape(shape[0], -1)


def measure(_, settings):
    begin = time.perf_counter()
    import torch
    from torch.nn import functional

    # What it is imported by says in its second argument how many steps there are.
    sys.argv = [sys.argv[0], settings["folder"]]
    from private_run import FOLDER, outputs, train

    torch.set_num_threads(settings["threads"])
    torch.manual_seed(time.time_ns())
    images = {
        part: torch.from_numpy(read(FOLDER, f"{part}-images-idx3-ubyte") / numpy.float32(255))
        for part in ("train", "t10k")}
    labels = {
        part: torch.from_numpy(read(FOLDER, f"{part}-labels-idx1-ubyte")[:, 0].astype(numpy.int64))
        for part in ("train", "t10k")}
    model = torch.nn.Linear(784, 10)
    torch.nn.init.zeros_(model.weight)
    torch.nn.init.zeros_(model.bias)
    with contextlib.redirect_stdout(io.StringIO()) as told:
        model = train(
            model, lambda outputs, labels: functional.cross_entropy(outputs, labels, reduction="none"),
            (images["train"], labels["train"]), epsilon=settings["epsilon"], delta=settings["delta"],
            batch=settings["batch"], steps=settings["steps"], clip=settings["clip"], tail=settings["tail"],
            optimizer=lambda parameters: torch.optim.SGD(
                parameters, lr=settings["rate"], momentum=settings["momentum"]))
    accuracy = (outputs(model, images["t10k"]).argmax(1) == labels["t10k"]).double().mean().item()
    yield {"work": "run", "seconds": time.perf_counter() - begin, "value": accuracy}
    in_steps = float(re.search(r"steps, ([0-9.]+) s", told.getvalue()).group(1))
    yield {"work": "steps", "seconds": in_steps, "value": accuracy}


if __name__ == "__main__":
    worker.main(measure)
