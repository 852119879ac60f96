"""Sums up a clone of https://github.com/maxday/lambda-perf for calibration.json. It computes each day's median Init Duration and
the median over days, and for each day a line of images against ZIPs, one for native and one for managed runtimes. The native line is
fitted to Rust, Go and GraalVM, the managed line to Java and Ruby. The other runtimes show how good the lines are.

    days.py lambda-perf/data/2026 >days.json        (made with the data of 2026-01-01 to 2026-08-22, commit 6070b794)
"""
import collections
import glob
import json
import statistics
import sys


def between(values):
    """The median, and the 5th and the 95th percentile."""
    cuts = statistics.quantiles(values, n=20, method="inclusive")
    return [round(x, 3) for x in (statistics.median(values), cuts[0], cuts[-1])]


def line(pairs):
    """Least squares: intercept, slope, and the Init at which image and ZIP are equal."""
    zips, images = zip(*pairs)
    slope, intercept = statistics.linear_regression(zips, images)
    return intercept, slope, intercept / (1 - slope) if slope < 1 else None


days = collections.defaultdict(dict)  # architecture, kind, runtime -> day -> median
for name in sorted(glob.glob(sys.argv[1] + "/2026-*.json")):
    samples = collections.defaultdict(list)
    for r in json.load(open(name))["runtimeData"]:
        samples[r["a"], r["p"], r["d"]] += [x for x in r["i"] if x > 0]
    for key, values in samples.items():
        if len(values) >= 20:
            days[key][name[-15:-5]] = statistics.median(values)

out = {"runtimes": [], "imageLines": []}
for (architecture, kind, runtime), by_day in sorted(days.items()):
    if len(by_day) >= 100:
        out["runtimes"].append([architecture, kind, runtime, len(by_day), *between(list(by_day.values()))])
for architecture in ("arm64", "x86_64"):
    for runtimes, fitted in (("native", ("rust", "go ", "graalvm", "quarkus")), ("managed", ("java", "ruby"))):
        lines = collections.defaultdict(list)
        for (a, kind, runtime), by_day in days.items():
            if a == architecture and kind == "zip" and runtime.startswith(fitted):
                for day, ms in by_day.items():
                    image = days.get((a, "image", runtime), {}).get(day)
                    if image:
                        lines[day].append((ms, image))
        fits = [line(pairs) for pairs in lines.values() if len(pairs) >= 6]
        cross = [c for _, _, c in fits if c is not None]
        out["imageLines"].append({"architecture": architecture, "runtimes": runtimes, "days": len(fits), "intercept": between([f[0] for f in fits]),
                                  "slope": between([f[1] for f in fits]), "crossover": between(cross) if runtimes == "native" else None})
        medians = {r: (statistics.median(d.values()), statistics.median(days[architecture, "image", r].values())) for (a, kind, r), d in days.items()
                   if a == architecture and kind == "zip" and (architecture, "image", r) in days and ("prov." in r) == (runtimes == "native")}
        intercept, slope, _ = line([pair for r, pair in medians.items() if r.startswith(fitted)])
        out["imageLines"][-1]["off"] = {r: round((intercept + slope * z) / i - 1, 2) for r, (z, i) in sorted(medians.items()) if not r.startswith(fitted)}
print(json.dumps(out, indent=1))
