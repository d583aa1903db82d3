"""A training step of a perceptron by Adam on random examples, private (clip norm and noise multiplier 1) and not.

    python Benchmarks/Peers/step.py opacus-hooks|opacus-ghost|torch|jax_privacy|jax '{"threads": 2, "runs": 3, …}'
"""

import pathlib
import sys

import worker

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "Recipes" / "opacus"))


def _with_torch(peer, dims, batch):
    import torch

    import ghost

    torch.manual_seed(0)
    model, inputs, labels = ghost.perceptron(dims), torch.randn(batch, dims[0]), torch.randint(0, dims[-1], (batch,))
    if peer == "torch":
        return ghost.step(model, inputs, labels)
    return ghost.private_step(model, inputs, labels, peer.removeprefix("opacus-"))


def _with_jax(peer, dims, batch):
    import jax
    import jax.numpy as jnp
    import optax
    from jax_privacy import clipping, noise_addition

    keys = iter(jax.random.split(jax.random.key(0), 2 * len(dims)))
    parameters = [
        (jax.random.normal(next(keys), (inputs, outputs)) * inputs**-0.5, jnp.zeros(outputs))
        for inputs, outputs in zip(dims, dims[1:])]
    inputs = jax.random.normal(next(keys), (batch, dims[0]))
    labels = jax.random.randint(next(keys), (batch,), 0, dims[-1])

    def loss(parameters, input, label):
        for kernel, bias in parameters[:-1]:
            input = jax.nn.relu(input @ kernel + bias)
        kernel, bias = parameters[-1]
        return -jax.nn.log_softmax(input @ kernel + bias)[label]

    optimizer = optax.adam(1e-3)
    if peer == "jax":
        gradient = jax.grad(
            lambda parameters, inputs, labels: jax.vmap(loss, (None, 0, 0))(parameters, inputs, labels).mean())
    else:
        gradient = clipping.clipped_grad(
            loss, l2_clip_norm=1.0, normalize_by=batch, batch_argnums=(1, 2), keep_batch_dim=False)
        optimizer = optax.chain(
            noise_addition.gaussian_privatizer(stddev=gradient.sensitivity(), prng_key=0), optimizer)

    @jax.jit
    def update(parameters, state):
        updates, state = optimizer.update(gradient(parameters, inputs, labels), state)
        return optax.apply_updates(parameters, updates), state

    state = optimizer.init(parameters)

    def step():
        nonlocal parameters, state
        parameters, state = jax.block_until_ready(update(parameters, state))

    return step


def measure(peer, settings):
    make = _with_jax if peer.startswith("jax") else _with_torch
    step = make(peer, settings["dims"], settings["batch"])
    yield {"seconds": worker.median_seconds(step, settings["runs"])}


if __name__ == "__main__":
    worker.main(measure)
