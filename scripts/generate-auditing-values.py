#!/usr/bin/env python3
"""Writes auditing.json: what jax_privacy's CanaryScoreAuditor (main, August 2026, in Float64) says of given canary scores.

Only estimators whose validity we do not doubt are asked: fixed thresholds, no search over thresholds without a correction.

    python3 scripts/generate-auditing-values.py --seed 0 --out .
"""
import argparse, json, pathlib
import numpy as np, scipy.stats
from jax_privacy import auditing as A

ap = argparse.ArgumentParser(); ap.add_argument("--seed", type=int, default=0); ap.add_argument("--out", default=".")
a = ap.parse_args(); rng = np.random.default_rng([a.seed, 77])
cases = []
for n, shift in ((200, 1.0), (1000, 1.0), (1000, 2.5), (5000, 0.5)):
    ins = np.round(rng.normal(shift, 1, n), 6); outs = np.round(rng.normal(0, 1, n), 6)
    c = A.CanaryScoreAuditor(ins, outs); thresholds = [float(np.round(t, 3)) for t in (0.0, shift / 2, shift, shift + 1)]
    for alpha in (0.05, 0.01):
        for delta in (1e-6, 1e-3):
            rows = []
            for t in thresholds:
                e = A.Explicit(t)
                rows.append({"threshold": t, "clopper_pearson_f64": float(c.epsilon_clopper_pearson(alpha, delta, threshold_strategy=e)),
                             "one_run_f64": float(c.epsilon_one_run(alpha, delta, threshold_strategy=e)),
                             "one_run_fdp_f64": float(c.epsilon_one_run_fdp(alpha, delta, threshold_strategy=e))})
            cases.append({"in": ins.tolist(), "out": outs.tolist(), "significance": alpha, "delta": delta, "thresholds": rows,
                          "auroc_f64": float(c.attack_auroc()), "max_accuracy_f64": float(c.max_accuracy()),
                          "tpr_at_fpr_0.1_f64": float(c.tpr_at_given_fpr(0.1))})
pathlib.Path(a.out).mkdir(parents=True, exist_ok=True)
(pathlib.Path(a.out) / "auditing.json").write_text(json.dumps({"seed": a.seed, "cases": cases}) + "\n")
