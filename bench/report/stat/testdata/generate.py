"""Independent values for the tests of package stat, from NumPy, SciPy and statsmodels.

    python3 -m venv v && v/bin/pip install --require-hashes -r ../../testdata/requirements.txt
    v/bin/python generate.py > independent.json
"""

import json

import numpy as np
from scipy import stats
from statsmodels.stats.multitest import multipletests

rng = np.random.default_rng(20261121)
out = {"versions": {"numpy": np.__version__}, "samples": [], "pairs": [], "ratios": [], "holm": []}
QUANTILES = [0.2, 0.4, 0.5, 0.6, 0.8, 0.9, 0.95, 0.99]


def order(n, q, level=0.95):
    """The narrowest pair of ranks that covers the quantile at the level; if there are several, the one that covers most."""
    best, below = None, stats.binom.cdf(np.arange(n + 1), n, q)
    for lo in range(1, n):
        for hi in range(lo + 1, n + 1):
            cover = float(below[hi - 1] - below[lo - 1])
            if cover >= level and (best is None or (hi - lo, -cover) < (best[1] - best[0], -best[2])):
                best = (lo, hi, cover)
            if best is not None and hi - lo > best[1] - best[0]:
                break
    return best


def bootstrap(x, q, resamples=200_000):
    draws = rng.choice(x, size=(resamples, len(x)), replace=True)
    return np.quantile(draws, q, axis=1, method="median_unbiased")


def rank_sum_quantile(n, m, p):
    """Least u with P(U <= u) >= p, from the counts of all orders; R's qwilcox."""
    counts = {(i, 0): [1] for i in range(n + 1)} | {(0, j): [1] for j in range(m + 1)}
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            a, b = counts[i - 1, j], counts[i, j - 1]  # the largest is of the first sample: it exceeds all j of the second
            counts[i, j] = [(a[u - j] if 0 <= u - j < len(a) else 0) + (b[u] if u < len(b) else 0) for u in range(i * j + 1)]
    c = counts[n, m]
    total, s = sum(c), 0
    for u, k in enumerate(c):
        s += k
        if s / total >= p:
            return u


def hodges_lehmann(x, y, level):
    """Hodges and Lehmann's shift and the interval of the rank-sum test, as R's wilcox.test has them."""
    d = np.sort(np.subtract.outer(x, y).ravel())
    n, m = len(x), len(y)
    if n <= 25 and m <= 25:
        k = max(1, rank_sum_quantile(n, m, level / 2))
    else:
        k = int(np.floor(n * m / 2 + stats.norm.ppf(level / 2) * np.sqrt(n * m * (n + m + 1) / 12)))
    return {"a": x.tolist(), "b": y.tolist(), "level": level, "estimate": float(np.median(d)), "ci": [float(d[k - 1]), float(d[-k])]}


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
             }
    out["samples"].append(entry)

out["orders"] = [{"n": n, "q": q, "order": order(n, q)} for n in [5, 6, 13, 14, 20, 28, 29, 58, 59, 60, 100, 298, 299] for q in [0.2, 0.5, 0.8, 0.9, 0.95, 0.99]]

for a, b in [(("lognormal", 12), ("lognormal", 60)), (("lognormal", 60), ("bimodal", 60)), (("uniform", 200), ("bimodal", 501)), (("bimodal", 60), ("bimodal", 501))]:
    x, y = samples[a], samples[b]
    out["pairs"].append({"a": f"{a[0]} {a[1]}", "b": f"{b[0]} {b[1]}",
                         "p": float(stats.mannwhitneyu(x, y, alternative="two-sided", method="asymptotic").pvalue)})
for n, shift in [(8, 0.5), (10, 3), (20, 0.4), (45, 0.2)]:
    x, y = rng.normal(10, 1, n), rng.normal(10 + shift, 1, n)  # no ties: exact
    out["pairs"].append({"a": x.tolist(), "b": y.tolist(), "p": float(stats.mannwhitneyu(x, y, alternative="two-sided", method="exact").pvalue)})

out["shifts"] = [hodges_lehmann(np.round(rng.normal(0.5, 1, n), 6), np.round(rng.normal(0, 1, m), 6), level)
                 for n, m, level in [(8, 9, 0.05), (20, 25, 0.05), (60, 60, 0.05), (60, 126, 0.003)]]

for a, b, q in [(("bimodal", 60), ("lognormal", 60), 0.5), (("bimodal", 501), ("uniform", 200), 0.95)]:
    r = np.log(bootstrap(samples[a], q, 20_000) / bootstrap(samples[b], q, 20_000))
    estimate = np.log(np.quantile(samples[a], q, method="median_unbiased") / np.quantile(samples[b], q, method="median_unbiased"))
    out["ratios"].append({"a": f"{a[0]} {a[1]}", "b": f"{b[0]} {b[1]}", "q": q, "half": float(np.quantile(np.abs(r - estimate), 0.95))})

# One unit of scale: the largest of all pairs' |z| against the range of so many normal values.
out["ranges"] = [{"arms": k, "p": float(2 * stats.norm.sf(z)), "adjusted": float(stats.studentized_range.sf(z * np.sqrt(2), k, np.inf))}
                 for k in [2, 3, 8, 26] for z in [1, 2, 3, 4]]

for ps in [[0.01, 0.04, 0.03, 0.005], [0.5, 0.9, 0.02, 0.02, 1e-9, 1.0], [0.2]]:
    out["holm"].append({"p": ps, "adjusted": [float(v) for v in multipletests(ps, method="holm")[1]]})

print(json.dumps(out, indent=None, separators=(",", ":")))
