"""Independent values for the tests of package stat, from NumPy, SciPy and statsmodels.

    python3 -m venv v && v/bin/pip install numpy==2.4.6 scipy==1.17.1 statsmodels==0.15.0
    v/bin/python generate.py > independent.json
"""

import json

import numpy as np
from scipy import stats
from statsmodels.stats.multitest import multipletests

rng = np.random.default_rng(20261121)
out = {"versions": {"numpy": np.__version__}, "samples": [], "pairs": [], "ratios": [], "holm": []}
QUANTILES = [0.2, 0.4, 0.5, 0.6, 0.8, 0.9, 0.95, 0.99]


def binomial_interval(x, level=0.95):
    """Narrowest symmetric pair of order statistics whose coverage of the median reaches the level."""
    x, n = np.sort(x), len(x)
    for lo in range(n // 2, 0, -1):
        hi = n + 1 - lo
        if stats.binom.cdf(hi - 1, n, 0.5) - stats.binom.cdf(lo - 1, n, 0.5) >= level:
            return [float(x[lo - 1]), float(x[hi - 1])]
    return None


def bootstrap(x, q, resamples=200_000):
    draws = rng.choice(x, size=(resamples, len(x)), replace=True)
    return np.quantile(draws, q, axis=1, method="median_unbiased")


def sample(kind, n):
    x = {
        "lognormal": lambda: rng.lognormal(3, 0.3, n),
        "bimodal": lambda: np.where(rng.random(n) < 0.9, rng.normal(30, 2, n), rng.normal(65, 4, n)),
        "uniform": lambda: rng.uniform(5, 6, n),
    }[kind]()
    return np.round(x, 2)  # as in a REPORT


samples = {}
for kind, n in [("lognormal", 12), ("lognormal", 60), ("bimodal", 60), ("uniform", 200), ("bimodal", 501)]:
    x = samples[kind, n] = sample(kind, n)
    entry = {"name": f"{kind} {n}", "values": x.tolist(), "mean": float(np.mean(x)), "total": float(np.sum(x)), "sd": float(np.std(x, ddof=1)),
             "quantiles": {str(q): float(np.quantile(x, q, method="median_unbiased")) for q in QUANTILES},
             "median_ci95": binomial_interval(x), "bootstrap_ci95": {}}
    for q in [0.5, 0.9, 0.95]:
        # A bound may fall on either of two neighbours: give the range that the percentiles around it span.
        b = bootstrap(x, q, 20_000 if n > 300 else 100_000)
        lo, hi = np.quantile(b, [0.025, 0.975])
        entry["bootstrap_ci95"][str(q)] = [float(lo), float(hi)]
    out["samples"].append(entry)

for a, b in [(("lognormal", 12), ("lognormal", 60)), (("lognormal", 60), ("bimodal", 60)), (("uniform", 200), ("bimodal", 501)), (("bimodal", 60), ("bimodal", 501))]:
    x, y = samples[a], samples[b]
    out["pairs"].append({"a": f"{a[0]} {a[1]}", "b": f"{b[0]} {b[1]}",
                         "p": float(stats.mannwhitneyu(x, y, alternative="two-sided", method="asymptotic").pvalue)})
for n, shift in [(8, 0.5), (10, 3), (20, 0.4), (45, 0.2)]:
    x, y = rng.normal(10, 1, n), rng.normal(10 + shift, 1, n)  # no ties: exact
    out["pairs"].append({"a": x.tolist(), "b": y.tolist(), "p": float(stats.mannwhitneyu(x, y, alternative="two-sided", method="exact").pvalue)})

for a, b, q in [(("bimodal", 60), ("lognormal", 60), 0.5), (("bimodal", 60), ("lognormal", 60), 0.9), (("bimodal", 501), ("uniform", 200), 0.95)]:
    r = bootstrap(samples[a], q, 20_000) / bootstrap(samples[b], q, 20_000)
    out["ratios"].append({"a": f"{a[0]} {a[1]}", "b": f"{b[0]} {b[1]}", "q": q, "ci95": [float(v) for v in np.quantile(r, [0.025, 0.975])]})

for ps in [[0.01, 0.04, 0.03, 0.005], [0.5, 0.9, 0.02, 0.02, 1e-9, 1.0], [0.2]]:
    out["holm"].append({"p": ps, "adjusted": [float(v) for v in multipletests(ps, method="holm")[1]]})

print(json.dumps(out, indent=None, separators=(",", ":")))
