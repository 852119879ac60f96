"""Independent values for the factor analysis: made-up records, and statsmodels' results for them.

    python3 -m venv v && v/bin/pip install --require-hashes -r requirements.txt
    v/bin/python generate_factors.py > factors.json
"""

import json

import numpy as np
import pandas as pd
import statsmodels.formula.api as smf
from scipy import stats
from statsmodels.stats.anova import anova_lm

rng = np.random.default_rng(20261123)
ROUNDS = 20
BOOTSTRAPS = {"rawtcp": 0.0, "nethttp": 0.5, "lambdago": 0.55, "bashcurl": 0.9}
PACKAGES = {"zip": 0.0, "image": -0.2}
rows = []
for r in range(1, ROUNDS + 1):
    day = rng.normal(0, 0.05)
    for b, eb in BOOTSTRAPS.items():
        for p, ep in PACKAGES.items():
            if rng.random() < 0.04:
                continue  # a sample that was set apart
            both = 0.3 if (b, p) == ("rawtcp", "image") else 0
            rows.append({"round": r, "bootstrap": b, "package": p, "init": round(float(np.exp(3 + day + eb + ep + both + rng.normal(0, 0.08))), 2)})
data = pd.DataFrame(rows)
data["log"] = np.log(data["init"])
anova = anova_lm(smf.ols("log ~ C(bootstrap) * C(package)", data).fit(), typ=2)
total = float(((data["log"] - data["log"].mean()) ** 2).sum())
out = {"records": rows, "terms": {}, "effects": []}
for row, name in [("C(bootstrap)", "bootstrap"), ("C(package)", "package"), ("C(bootstrap):C(package)", "bootstrap x package")]:
    out["terms"][name] = {"df": int(anova.loc[row, "df"]), "f": float(anova.loc[row, "F"]), "p": float(anova.loc[row, "PR(>F)"]),
                          "share": float(anova.loc[row, "sum_sq"]) / total}
out["residual_sd"] = float(np.sqrt(anova.loc["Residual", "sum_sq"] / anova.loc["Residual", "df"]))

wide = data.pivot(index="round", columns=["bootstrap", "package"], values="log")
for within in [None, *BOOTSTRAPS]:
    over = list(BOOTSTRAPS) if within is None else [within]
    d = sum(wide[b, "image"] - wide[b, "zip"] for b in over).dropna() / len(over)
    ci = stats.t.interval(0.95, len(d) - 1, d.mean(), stats.sem(d))
    out["effects"].append({"within": within or "", "ratio": float(np.exp(d.mean())), "ci": [float(np.exp(c)) for c in ci]})
print(json.dumps(out, separators=(",", ":")))
