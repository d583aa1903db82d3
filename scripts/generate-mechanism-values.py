#!/usr/bin/env python3
"""Writes mechanisms.json: exact values for samplers, correlated noise, discrete noise and audits, from first principles.

Nothing here comes from another library: sums, brute-force enumeration, quadrature (absolute error below 1e-9 unless said).

    python3 scripts/generate-mechanism-values.py --seed 0 --out .
"""
import argparse, json, math, pathlib
import numpy as np
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import binom, norm, beta as beta_law

ap = argparse.ArgumentParser(); ap.add_argument("--seed", type=int, default=0); ap.add_argument("--out", default=".")
args = ap.parse_args(); rng = np.random.default_rng([args.seed, 99])
pick = lambda *x: x[rng.integers(len(x))]


def random_allocation():
    """One of t = 2 steps, chosen uniformly: delta(eps) in both directions. Inner integral in closed form."""
    rows = []
    for _ in range(8):
        s, e = float(rng.choice([0.7, 1.0, 1.5, 2.0, 3.0])), float(np.round(rng.uniform(0.05, 2.0), 2))
        w = lambda x: math.exp((2 * x - 1) / (2 * s * s))
        thr = lambda x, lr: (lambda r: -math.inf if r <= 0 else s * s * math.log(r) + 0.5)(2 * lr - w(x))  # x2 with (w1 + w2)/2 = lr
        sf, cdf = lambda x, m: norm.sf((x - m) / s), lambda x, m: norm.cdf((x - m) / s)
        def rem(x):
            c = thr(x, math.exp(e)); p1, p0 = norm.pdf(x, 1, s), norm.pdf(x, 0, s)
            return 0.5 * (p1 * sf(c, 0) + p0 * sf(c, 1)) - math.exp(e) * p0 * sf(c, 0)
        def add(x):
            c = thr(x, math.exp(-e)); p1, p0 = norm.pdf(x, 1, s), norm.pdf(x, 0, s)
            return 0.0 if c == -math.inf else p0 * cdf(c, 0) - math.exp(e) * 0.5 * (p1 * cdf(c, 0) + p0 * cdf(c, 1))
        kr, ka = s * s * math.log(2 * math.exp(e)) + 0.5, s * s * math.log(2 * math.exp(-e)) + 0.5
        q = lambda f, k: sum(quad(f, a, b, epsabs=1e-13, epsrel=1e-12, limit=400)[0] for a, b in ((-12 * s, k), (k, 12 * s + 1)) if a < b)
        rows.append({"steps": 2, "chosen": 1, "noise_multiplier": s, "epsilon": e, "delta_remove_f64": q(rem, kr), "delta_add_f64": q(add, ka)})
    rdp = []
    for _ in range(6):
        s, t = float(pick(0.8, 1.0, 2.0, 4.0)), int(pick(4, 8, 32, 100))
        a3 = (t * math.exp(3 / s**2) + 3 * t * (t - 1) * math.exp(1 / s**2) + t * (t - 1) * (t - 2)) / t**3
        rdp.append({"steps": t, "noise_multiplier": s, "renyi_remove_order_2_f64": math.log1p(math.expm1(1 / s**2) / t), "renyi_remove_order_3_f64": math.log(a3) / 2})
    return {"delta": rows, "renyi": rdp}


def without_replacement():
    """One step of Gaussian noise on a fixed-size sample, replace-one; z over the add-or-remove clip norm."""
    d = lambda e, mu: norm.cdf(mu / 2 - e / mu) - math.exp(e) * norm.cdf(-mu / 2 - e / mu)
    return [{"noise_multiplier": z, "fraction": g, "epsilon": e, "delta_f64": g * d(math.log1p(math.expm1(e) / g), 2 / z)}
            for z, g, e in ((float(pick(1., 1.5, 2., 4.)), float(np.round(rng.uniform(0.01, 0.3), 3)), float(np.round(rng.uniform(0.1, 1.5), 2))) for _ in range(6))]


def b_min_sep():
    """Log likelihood ratios of one trajectory under b-min-sep participation with a banded strategy, by enumeration."""
    def brute(y, c, b, p, s, warm):
        n = len(y)
        starts = [(0, 1.0)] if not warm else [(0, 1 / (1 + (b - 1) * p))] + [(i, p / (1 + (b - 1) * p)) for i in range(1, b)]
        def rec(i, x, pr):
            if i >= n:
                m = np.array([sum(c[j] * x[t - j] for j in range(len(c)) if t - j >= 0) for t in range(n)])
                return pr * math.exp((2 * m @ y - m @ m) / (2 * s * s))
            on = x.copy(); on[i] = 1
            return rec(i + 1, x, pr * (1 - p)) + rec(i + b, on, pr * p)
        return math.log(sum(rec(st, np.zeros(n), w) for st, w in starts))
    rows = []
    for bands in (1, 2, 3, 4):
        c = np.concatenate([[1.0], np.sort(rng.uniform(0.05, 0.9, bands - 1))[::-1]]).round(4)
        y, p, s = rng.normal(0.5, 1, 9).round(3), float(np.round(rng.uniform(0.1, 0.7), 2)), float(pick(0.7, 1.0, 2.0))
        rows.append({"coefficients": c.tolist(), "separation": bands, "probability": p, "noise_multiplier": s, "outputs": y.tolist(),
                     "log_ratio_cold_f64": brute(y, c, bands, p, s, False), "log_ratio_warm_f64": brute(y, c, bands, p, s, True)})
    return rows


def strategies():
    """Noise coefficients (1-x)^gamma cut after p terms, on the prefix-sum workload, n steps, k participations n/k apart."""
    rows = []
    for n, k in ((64, 1), (128, 4), (512, 8)):
        for p, g in ((2, 0.5), (int(pick(4, 6, 8)), 0.5), (2, float(pick(0.8, 0.9, 0.95))), (int(pick(4, 5)), float(pick(0.3, 0.7)))):
            noise = np.ones(p)
            for j in range(1, p): noise[j] = noise[j - 1] * (j - 1 - g) / j
            x = np.zeros(n); x[0] = 1
            full = np.pad(noise, (0, n - p))
            for t in range(1, n): x[t] = -(full[1:t + 1] @ x[t - 1::-1][:t])
            v = np.zeros(n)
            for j in range(k): v[j * (n // k):] += x[:n - j * (n // k)]
            pq = np.cumsum(np.cumsum(full) ** 2)
            rows.append({"steps": n, "participations": k, "gamma": g, "terms": p, "noising_coefficients_f64": noise.tolist(),
                         "strategy_coefficients_f64": x[:8].tolist(), "sensitivity_squared_f64": float(v @ v), "mean_error_f64": float(pq.mean()), "max_error_f64": float(pq[-1])})
    return rows


def discrete():
    out = {"law": [], "renyi_sampled": [], "delta": []}
    for s in (0.5, float(pick(0.8, 1.0, 1.3)), float(pick(2.0, 3.0, 10.0))):
        x = np.arange(-300, 301); w = np.exp(-x * x / (2 * s * s)); Z = w.sum()
        out["law"].append({"sigma": s, "probability_of_0_f64": float(1 / Z), "variance_f64": float((w * x * x).sum() / Z)})
    for _ in range(4):
        s, q, a = float(pick(0.7, 1.0, 2.0)), float(pick(0.05, 0.1, 0.3)), int(pick(2, 3, 4, 8))
        out["renyi_sampled"].append({"sigma": s, "probability": q, "order": a, "renyi_f64": math.log(sum(math.comb(a, j) * (1 - q) ** (a - j) * q**j * math.exp((j * j - j) / (2 * s * s)) for j in range(a + 1))) / (a - 1)})
    for s, e in ((1.0, 1.0), (2.0, 0.5), (float(pick(3.0, 5.0)), 0.2)):
        x = np.arange(-500, 501); w = np.exp(-x * x / (2 * s * s)); w /= w.sum()
        out["delta"].append({"sigma": s, "epsilon": e, "delta_f64": float(np.maximum(np.roll(w, 1) - math.exp(e) * w, 0)[1:].sum())})
    return out


def exact_tail():
    """r most confident of n guesses, u mistakes or fewer: 95 % lower bounds on mu and epsilon for the Gaussian family, r = n."""
    eps = lambda mu, d: brentq(lambda e: norm.cdf(mu / 2 - e / mu) - math.exp(e) * norm.cdf(-mu / 2 - e / mu) - d, 0, 100)
    rows = []
    for _ in range(5):
        mu, n = float(pick(0.5, 1.0, 2.0, 3.0)), int(pick(500, 1000, 10000))
        u = int(binom.ppf(rng.uniform(0.3, 0.7), n, norm.cdf(-mu / 2)))
        lo = brentq(lambda m: binom.cdf(u, n, norm.cdf(-m / 2)) - 0.05, 1e-9, 20)
        rows.append({"guesses": n, "canaries": n, "mistakes": u, "significance": 0.05, "delta": 1e-5, "mu_lower_f64": lo, "epsilon_lower_f64": eps(lo, 1e-5)})
    return rows


def truncated():
    rows = []
    for _ in range(4):
        n = int(pick(3, 50, 1000, 60000)); q = 0.5 if n == 3 else float(np.round(rng.uniform(0.005, 0.1), 4)); B = 2 if n == 3 else int(n * q + 3 * math.sqrt(n * q))
        tp = binom.sf(B - 1, n - 1, q)
        rows.append({"examples": n, "probability": q, "limit": B, "truncation_probability_f64": tp, "conditional_probability_f64": binom.sf(B, n, q) * B / tp / n})
    return rows


data = {"seed": args.seed, "random_allocation": random_allocation(), "without_replacement": without_replacement(), "b_min_sep": b_min_sep(),
        "strategies": strategies(), "discrete": discrete(), "exact_tail": exact_tail(), "truncated": truncated()}
out = pathlib.Path(args.out); out.mkdir(parents=True, exist_ok=True)
(out / "mechanisms.json").write_text(json.dumps(data, indent=1) + "\n")
