"""Clips the rows of a matrix of per-example gradients, sums them and adds noise, as each peer does it.

    python Benchmarks/Peers/pipeline.py torch|opacus|jax_privacy|optax '{"threads": 2, "runs": 3, …}'
"""

import numpy

import worker


def release(peer, rows, clip_norm, noise_multiplier, secure_mode=False):
    """A function of no arguments that makes a new noisy sum of the clipped `rows`; `numpy.asarray` reads it."""
    return (_with_jax if peer in ("jax_privacy", "optax") else _with_torch)(
        peer, rows, clip_norm, noise_multiplier, secure_mode)


def _with_torch(peer, rows, clip_norm, noise_multiplier, secure_mode):
    import torch

    rows = torch.from_numpy(rows)
    if peer == "torch":

        def step():
            factors = (clip_norm / torch.linalg.vector_norm(rows, dim=1)).clamp(max=1)
            return factors @ rows + noise_multiplier * clip_norm * torch.randn(rows.shape[1])

        return step

    from opacus.optimizers import DPOptimizer

    parameter = torch.nn.Parameter(torch.zeros(rows.shape[1]))
    optimizer = DPOptimizer(
        torch.optim.SGD([parameter], lr=1), noise_multiplier=noise_multiplier, max_grad_norm=clip_norm,
        expected_batch_size=len(rows), secure_mode=secure_mode)

    def step():
        optimizer.zero_grad()
        # A tensor of its own over the same numbers: Opacus marks those that it has used.
        parameter.grad_sample = rows[:]
        optimizer.clip_and_accumulate()
        optimizer.add_noise()
        return parameter.grad

    return step


def _with_jax(peer, rows, clip_norm, noise_multiplier, _):
    import jax

    rows = jax.numpy.asarray(rows)
    # Two releases must not share their noise.
    key = int(numpy.random.default_rng().integers(2**31))
    if peer == "optax":
        import optax

        aggregate = optax.contrib.differentially_private_aggregate(clip_norm, noise_multiplier, key=key)
        state, count = aggregate.init(rows[0]), len(rows)

        def privatized(rows, state):
            mean, state = aggregate.update(rows, state)
            # A multiplication that costs nothing beside the rest; the others release sums.
            return count * mean, state

    else:
        from jax_privacy import clipping, noise_addition

        clipped = clipping.clipped_fun(
            lambda row: (row, ()), has_aux=True, batch_argnums=0, keep_batch_dim=False, l2_clip_norm=clip_norm)
        privatizer = noise_addition.gaussian_privatizer(stddev=noise_multiplier * clipped.sensitivity(), prng_key=key)
        state = privatizer.init(rows[0])

        def privatized(rows, state):
            return privatizer.update(clipped(rows)[0], state)

    privatized = jax.jit(privatized)

    def step():
        nonlocal state
        noisy, state = privatized(rows, state)
        return noisy.block_until_ready()

    return step


def check(peer):
    """Stops where a peer is called so that it computes something else: no times are shown of wrong results."""
    rows = numpy.random.default_rng(0).standard_normal((8, 1000), dtype=numpy.float32)
    norms = numpy.linalg.norm(rows.astype(numpy.float64), axis=1)
    clip_norm = float(numpy.median(norms))
    exact = numpy.minimum(1, clip_norm / norms) @ rows
    # Sums of eight numbers of magnitude 1: a bound of 2⁻¹⁸ is 64 half-ulps, and wrong factors are off by percents.
    found = numpy.asarray(release(peer, rows, clip_norm, 0)())
    assert numpy.abs(found - exact).max() < 2**-18 * norms.max(), f"{peer} computes another sum"
    assert numpy.abs(numpy.asarray(release(peer, rows, clip_norm, 1)()) - exact).max() > 1, f"{peer} adds no noise"


def measure(peer, settings):
    check(peer)
    shape = settings["examples"], settings["params"]
    rows = numpy.random.default_rng(1).standard_normal(shape, dtype=numpy.float32)
    # A norm that about half of the examples exceed, as in dpbench.
    clip_norm = float(numpy.median(numpy.linalg.norm(rows, axis=1)))
    yield {"seconds": worker.median_seconds(release(peer, rows, clip_norm, 1), settings["runs"])}


if __name__ == "__main__":
    worker.main(measure)
