"""ε of DP-SGD, and the noise multiplier for that ε, by dp_accounting's PLD and Opacus's PRV accountant, each with its
own defaults (a discretization of 10⁻⁴; errors of 0.01 in ε and δ/1000 in δ, and a calibration that ends within 0.01 of
ε). Some take a quarter of a minute: each is timed once a round, and not several times.

    python Benchmarks/Peers/accounting.py dp_accounting|opacus '{"threads": 2, "problems": [{"z": 1.1, …}]}'
"""

import worker


def _dp_accounting():
    import dp_accounting
    from dp_accounting.pld import PLDAccountant

    def event(z, q, steps):
        return dp_accounting.SelfComposedDpEvent(
            dp_accounting.PoissonSampledDpEvent(q, dp_accounting.GaussianDpEvent(z)), steps)

    def epsilon(z, q, steps, delta):
        return PLDAccountant().compose(event(z, q, steps)).get_epsilon(delta)

    def noise_multiplier(epsilon, q, steps, delta):
        return dp_accounting.calibrate_dp_mechanism(PLDAccountant, lambda z: event(z, q, steps), epsilon, delta)

    return epsilon, noise_multiplier


def _opacus():
    from opacus.accountants import PRVAccountant
    from opacus.accountants.utils import get_noise_multiplier

    def epsilon(z, q, steps, delta):
        accountant = PRVAccountant()
        accountant.history = [(z, q, steps)]
        return accountant.get_epsilon(delta)

    def noise_multiplier(epsilon, q, steps, delta):
        return get_noise_multiplier(
            target_epsilon=epsilon, target_delta=delta, sample_rate=q, steps=steps, accountant="prv")

    return epsilon, noise_multiplier


def measure(peer, settings):
    epsilon, noise_multiplier = {"dp_accounting": _dp_accounting, "opacus": _opacus}[peer]()
    for problem in settings["problems"]:
        about = problem["q"], problem["steps"], problem["delta"]
        for work, compute, given in [
            ("epsilon", epsilon, problem["z"]), ("noise-multiplier", noise_multiplier, problem["epsilon"])
        ]:
            value = None

            def run():
                nonlocal value
                value = float(compute(given, *about))

            # The first ε of a process also loads what both compute with.
            seconds = worker.median_seconds(run, runs=1, unmeasured=1 if work == "epsilon" else 0)
            yield {"work": work, "problem": problem["name"], "seconds": seconds, "value": value}


if __name__ == "__main__":
    worker.main(measure)
