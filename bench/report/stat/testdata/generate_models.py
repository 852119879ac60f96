"""Independent values for paired tests, least squares and clusters, from NumPy, SciPy and statsmodels.

    python3 -m venv v && v/bin/pip install --require-hashes -r ../../testdata/requirements.txt
    v/bin/python generate_models.py > models.json
"""

import itertools
import json

import numpy as np
import statsmodels.api as sm
from scipy import stats

rng = np.random.default_rng(20261122)
out = {"paired": [], "lines": [], "roots": [], "serial": [], "clusters": [], "power": []}


def signed_rank_quantile(n, p):
    """Least w with P(W <= w) >= p, by listing or convolving all signs; R's qsignrank."""
    pmf = np.array([1.0])
    for rank in range(1, n + 1):
        step = np.zeros(rank + 1)
        step[0] = step[rank] = 0.5
        pmf = np.convolve(pmf, step)
    return int(np.searchsorted(np.cumsum(pmf), p))


def signed_ranks(d):
    """Two-sided p of the signed-rank test, given its ties: all signs convolved, zeros left out."""
    d = d[d != 0]
    doubled = np.round(2 * stats.rankdata(np.abs(d))).astype(int)
    pmf = np.array([1.0])
    for rank in doubled:
        step = np.zeros(rank + 1)
        step[0] = step[rank] = 0.5
        pmf = np.convolve(pmf, step)
    w = min(doubled[d > 0].sum(), doubled[d < 0].sum())
    return min(1.0, 2 * float(pmf[: w + 1].sum()))


for n, shift, decimals in [(8, 0.6, 9), (25, 0.3, 9), (40, 0.1, 9), (60, 0.2, 9), (60, 0.2, 1), (300, 0.05, 2)]:
    d = np.round(rng.normal(shift, 1, n), decimals)
    walsh = np.sort([(a + b) / 2 for a, b in itertools.combinations_with_replacement(d, 2)])
    if n <= 100:
        k = max(1, signed_rank_quantile(n, 0.025))
    else:
        k = int(np.floor(n * (n + 1) / 4 + stats.norm.ppf(0.025) * np.sqrt(n * (n + 1) * (2 * n + 1) / 24)))
    if n > 100:
        p = stats.wilcoxon(d, zero_method="wilcox", correction=True, method="asymptotic").pvalue
    elif len(set(np.abs(d))) == n:
        p = stats.wilcoxon(d, method="exact").pvalue
    else:
        p = signed_ranks(d)
    out["paired"].append({"d": d.tolist(), "estimate": float(np.median(walsh)), "ci": [float(walsh[k - 1]), float(walsh[-k])], "p": float(p)})

for n, k in [(9, 2), (23, 4)]:
    x = np.column_stack([np.ones(n)] + [rng.uniform(0, 6, n) for _ in range(k)])
    y = x @ rng.normal(0, 0.3, k + 1) + rng.normal(0, 0.1, n)
    fit = sm.OLS(y, x).fit()
    out["lines"].append({"x": x.tolist(), "y": y.tolist(), "coefficients": fit.params.tolist(), "ci": fit.conf_int().tolist(), "p": fit.pvalues.tolist()})

for slope in [0.08, 0.002]:  # the second cannot be told from 0
    x = np.array([0.7, 1.2, 1.9, 3.1, 5.7, 6.0, 9.5])
    y = slope * (x - 4) + rng.normal(0, 0.03, len(x))
    fit = sm.OLS(y, sm.add_constant(x)).fit()
    grid = np.linspace(-20, 40, 600_001)
    design = np.column_stack([np.ones_like(grid), grid])
    se = np.sqrt(np.einsum("ij,jk,ik->i", design, fit.cov_params(), design))
    inside = grid[np.abs(design @ fit.params) <= stats.t.ppf(0.975, fit.df_resid) * se]
    bounded = inside.min() > -20 and inside.max() < 40
    out["roots"].append({"x": x.tolist(), "y": y.tolist(), "root": float(-fit.params[0] / fit.params[1]),
                         "ci": [float(inside.min()), float(inside.max())] if bounded else None})

for rho in [0, 0.5]:
    x = [rng.normal()]
    for _ in range(119):
        x.append(rho * x[-1] + rng.normal())
    ranks = stats.rankdata(x)
    out["serial"].append({"values": x, "r": float(np.corrcoef(ranks[:-1], ranks[1:])[0, 1])})

for environments, sizes in [(12, 40), (30, 10)]:
    clusters = [np.round(np.exp(rng.normal(1, 0.2) + rng.normal(0, 0.1, sizes)), 3) for _ in range(environments)]
    entry = {"clusters": [c.tolist() for c in clusters], "ci": {}}
    draws = [np.concatenate([clusters[k] for k in rng.integers(0, environments, environments)]) for _ in range(20_000)]
    for q in [0.2, 0.5, 0.9, 0.95]:
        x = [np.quantile(d, q, method="inverted_cdf") for d in draws]
        entry["ci"][str(q)] = np.quantile(x, [0.025, 0.975]).tolist()
    out["clusters"].append(entry)

# Power of signed ranks by simulation: log-normal times, one arm slower by the ratio.
for sd, ratio, n in [(0.1, 1.05, 60), (0.3, 1.2, 40), (0.06, 1.02, 100)]:
    hits = [stats.wilcoxon(rng.normal(0, sd, n) - rng.normal(np.log(ratio), sd, n)).pvalue < 0.05 for _ in range(4000)]
    out["power"].append({"sd": sd, "ratio": ratio, "n": n, "power": float(np.mean(hits))})

print(json.dumps(out, separators=(",", ":")))
