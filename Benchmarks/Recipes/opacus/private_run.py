"""One private run with Opacus, as the recipes beside it are run here: Poisson batches of the same expected size, as many
steps, the same optimizer, clip norm, ε, δ and average of the last steps. Numbers are printed as the README's table has
them.

    python -m venv opacus-environment && opacus-environment/bin/pip install torch opacus==1.6.0
    opacus-environment/bin/python Benchmarks/Recipes/opacus/NAME.py FOLDER [STEPS]

STEPS ends the run early, with the noise of all steps, to see how long a step takes.
"""

import math
import pathlib
import sys
import time
import warnings

import torch
from opacus import GradSampleModule
from opacus.accountants.utils import get_noise_multiplier
from opacus.data_loader import DPDataLoader
from opacus.optimizers import DPOptimizer
from torch.utils.data import TensorDataset

warnings.filterwarnings("ignore")
torch.set_num_threads(2)
torch.manual_seed(0)
FOLDER = pathlib.Path(sys.argv[1])
LAST_STEP = int(sys.argv[2]) if len(sys.argv) > 2 else None


def train(
    model, loss, examples, *, epsilon, batch, steps, optimizer, clip, delta=1e-5, tail=0.25, microbatch=1024
):
    """Trains `model` on tensors with the examples first; `loss(outputs, *targets)` gives one number an example, from
    the model's outputs of the first tensor. Returns the model with the averaged parameters.

    Noise is calibrated with Opacus's PRV accountant. Times are of steps alone; those of processors leave out what
    others of a shared machine did meanwhile.
    """
    count = len(examples[0])
    rate = batch / count
    noise = get_noise_multiplier(
        target_epsilon=epsilon, target_delta=delta, sample_rate=rate, steps=steps, accountant="prv")
    module = GradSampleModule(model, loss_reduction="mean")
    private = DPOptimizer(
        optimizer(module.parameters()), noise_multiplier=noise, max_grad_norm=clip, expected_batch_size=batch)
    loader = DPDataLoader(TensorDataset(*examples), sample_rate=rate)
    averages = [torch.zeros_like(parameter) for parameter in model.parameters()]
    averaged, step = 0, 0
    steps = min(steps, LAST_STEP or steps)
    begin, begin_of_work = time.perf_counter(), time.process_time()
    module.train()
    while step < steps:
        for tensors in loader:
            if step == steps:
                break
            chunks = list(zip(*(tensor.split(microbatch) for tensor in tensors)))
            for index, (inputs, *targets) in enumerate(chunks):
                private.signal_skip_step(do_skip=index < len(chunks) - 1)
                loss(module(inputs), *targets).mean().backward()
                private.step()
                private.zero_grad()
            step += 1
            if step > steps - math.ceil(tail * steps):
                averaged += 1
                for average, parameter in zip(averages, model.parameters()):
                    average += (parameter.detach() - average) / averaged
    seconds, work = time.perf_counter() - begin, time.process_time() - begin_of_work
    with torch.no_grad():
        for average, parameter in zip(averages, model.parameters()):
            parameter.copy_(average)
    print(f"torch {torch.__version__}, noise multiplier {noise:.4f}, {steps} steps, {seconds:.1f} s, "
          f"{work:.1f} s of processors")
    return model.eval()


def outputs(model, inputs, batch=2048):
    with torch.no_grad():
        return torch.cat([model(chunk) for chunk in inputs.split(batch)])


def report_accuracy(model, inputs, labels):
    right = (outputs(model, inputs).argmax(1) == labels).float().mean().item()
    print(f"test accuracy {100 * right:.2f} %")
