"""Makes SYNTHETIC records of an AWS run from the records of a lab run, to try twinstart calibrate without an account.

    synthetic_aws.py lab.jsonl >aws.jsonl

The line is known: as ZIP Init is 9 ms + 6 us x KiB read; as image it is 20 ms + half of that. Noise is 3 %, and UPX adds 30 ms. Nothing
was measured; the names of region and run say so.
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
