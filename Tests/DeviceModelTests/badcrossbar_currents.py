"""Computes effective conductances of crossbars with the package badcrossbar.

    python3 badcrossbar_currents.py CASES.json RESULTS.json

CASES.json is a list of objects with `rows`, `columns`, `cells` (siemens, row-major), `wordlineOhms` and `bitlineOhms`;
RESULTS.json will be the list of the currents of all bitlines for 1 V at one wordline after the other, row-major.
"""
import json
import logging
import sys

import badcrossbar
import numpy as np

logging.disable(logging.CRITICAL)
results = []
with open(sys.argv[1]) as file:
    cases = json.load(file)
for case in cases:
    shape = (case["rows"], case["columns"])
    with np.errstate(divide="ignore"):
        resistances = 1 / np.array(case["cells"]).reshape(shape)
    solution = badcrossbar.compute(np.eye(case["rows"]), resistances, r_i_word_line=case["wordlineOhms"],
                                   r_i_bit_line=case["bitlineOhms"])
    results.append(np.asarray(solution.currents.output).ravel().tolist())
with open(sys.argv[2], "w") as file:
    json.dump(results, file)
