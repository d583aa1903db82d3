"""Attacks on the low-order bits of a noisy sum of clipped gradients (Mironov, CCS 2012), on this package and on peers.

The setting is that of rare features: one person alone has them, and without the person their coordinates of the sum are
exactly zero. An attacker sees blocks of 64 of these coordinates, a thousand with the person and a thousand without, and
says of each which it is. The person's share of a block is small against the noise, so that no attack on the size of
numbers is right in more than a half of the cases by two or three points: see `most_by_size`. Two attacks:

- product: can every number of the block be a factor times a Float32, as noise alone would be? The factor is the noise's
  deviation, or what a library multiplies by instead, tried on a release of the attacker's own.
- learned: which lowest set bits do numbers of a magnitude have? Learned from releases of either kind that the attacker
  makes himself, and told by the likelihood of the block. It knows nothing of how noise is made.

    python Benchmarks/Peers/attack.py torch|opacus|opacus-secure-mode|jax_privacy|optax
"""

import json
import math
import pathlib

import numpy

import worker

EXAMPLES, FEATURES, CLASSES, BLOCK = 64, 6400, 10, 64
NOISE_MULTIPLIER = 0.77
BLOCKS = FEATURES * CLASSES // BLOCK
KINDS = ("without", "with")


def inputs(with_person):
    """Examples × features, all zero but the person's, who is the first example and takes the place of one of zeros."""
    values = numpy.zeros((EXAMPLES, FEATURES), numpy.float32)
    if with_person:
        values[0] = 1 + numpy.arange(FEATURES) / numpy.float32(FEATURES)
    return values


def gradients(with_person):
    """The gradients of a softmax regression at zero, all examples of class 0: what `dp train` sums in its one step."""
    errors = numpy.full(CLASSES, 1 / CLASSES, numpy.float32)
    errors[0] -= 1
    return (inputs(with_person)[:, :, None] * errors).reshape(EXAMPLES, -1)


def factors():
    """What libraries multiply Float32 numbers by: σ in Float64, σ in Float32, and √2 σ, as JAX's normals are
    √2 erf⁻¹(u) and its compiler multiplies the two constants first.
    """
    sigma = numpy.float32(NOISE_MULTIPLIER)
    return [numpy.float64(factor) for factor in (NOISE_MULTIPLIER, sigma, numpy.float32(2**0.5) * sigma)]


def products(values, factor):
    """Which numbers are `factor` times a Float32, rounded once."""
    normal = (values / factor).astype(numpy.float32)
    found = numpy.zeros(values.shape, bool)
    for end in (-numpy.inf, 0, numpy.inf):
        near = normal if end == 0 else numpy.nextafter(normal, numpy.float32(end))
        found |= (factor * near).astype(numpy.float32) == values
    return found


def bits(values):
    """A class for each number, by its magnitude and the place of its lowest set bit, both exponents from -40 to 4."""
    magnitude = numpy.frexp(values)[1] - 1
    # Below 16 they fit: that is twenty deviations.
    whole = (values.astype(numpy.float64) * 2.0**59).astype(numpy.int64)
    lowest = numpy.frexp((whole & -whole).astype(numpy.float64))[1] - 1 - 59
    return (numpy.clip(magnitude, -40, 4) + 40) * 45 + numpy.clip(lowest, -40, 4) + 40


def right_answers(release):
    """How many of 2 · BLOCKS answers are right, by attack. `release(kind)` makes a new noisy sum of all coordinates."""
    own = {kind: release(kind) for kind in KINDS}
    factor = max(factors(), key=lambda factor: products(own["without"], factor).sum())
    learned = {}
    for kind in KINDS:
        # One more of each, as nothing may have probability zero.
        counts = numpy.bincount(bits(own[kind]), minlength=45 * 45) + 1
        learned[kind] = numpy.log(counts / counts.sum())
    right = {"product": 0, "learned": 0}
    for kind in KINDS:
        values = release(kind)
        is_noise = products(values, factor).reshape(BLOCKS, BLOCK).all(1)
        likelihood = (learned["without"] - learned["with"])[bits(values)].reshape(BLOCKS, BLOCK).sum(1)
        for attack, says_without in (("product", is_noise), ("learned", likelihood > 0)):
            right[attack] += int((says_without if kind == "without" else ~says_without).sum())
    return right


def most_by_size():
    """What the best test of two normal laws gets right in the mean: 2 · BLOCKS · Φ(‖share of a block‖ / 2σ)."""
    shares = numpy.linalg.norm(gradients(True)[0].reshape(BLOCKS, BLOCK), axis=1)
    shares = shares / numpy.linalg.norm(gradients(True)[0]) / NOISE_MULTIPLIER
    return sum(1 + math.erf(share / 2 / math.sqrt(2)) for share in shares)


def read_safetensors(path):
    """The arrays of a safetensors file of Float32, by name."""
    data = pathlib.Path(path).read_bytes()
    begin = 8 + int.from_bytes(data[:8], "little")
    return {
        name: numpy.frombuffer(data[begin:], numpy.float32)[slice(*(place // 4 for place in about["data_offsets"]))]
        for name, about in json.loads(data[8:begin]).items() if name != "__metadata__"}


def measure(peer, _):
    from pipeline import release

    steps = {
        kind: release(
            peer.removesuffix("-secure-mode"), gradients(kind == "with"), 1.0, NOISE_MULTIPLIER,
            secure_mode=peer.endswith("-secure-mode"))
        for kind in KINDS}
    found = right_answers(lambda kind: numpy.array(steps[kind](), numpy.float32))
    for attack, right in found.items():
        yield {"work": attack, "value": right}


if __name__ == "__main__":
    worker.main(measure)
