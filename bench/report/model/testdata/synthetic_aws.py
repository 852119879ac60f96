"""Makes SYNTHETIC records of an AWS run from the records of a lab run, to try twinstart calibrate where there is no account.

    synthetic_aws.py lab.jsonl >aws.jsonl

The truth is known: Init = 9 ms + 6 us x KiB read as ZIP, 20 ms + 0.5 x that as image, 3 % of noise, 30 ms more for UPX. Nothing of it was
measured; region and run say so.
"""
import json
import random
import sys

random.seed(1)
for line in open(sys.argv[1]):
    r = json.loads(line)
    if r.get("start") != "cold" or r.get("marked") or "initReadKiB" not in r:
        continue
    init = 9 + 0.006 * r["initReadKiB"] + (30 if "upx" in r["arm"] else 0)
    if r["package"] != "zip":
        init = 20 + 0.5 * init
    keep = ("schema", "experiment", "arm", "bootstrap", "package", "architecture", "memorySizeMB", "round", "order", "start", "durationMs")
    out = {k: r[k] for k in keep if k in r}
    out |= {"source": "aws", "region": "synthetic", "runId": "synthetic", "initDurationMs": round(init * random.gauss(1, 0.03), 2)}
    print(json.dumps(out))
