"""What the peers' programs share: settings come as JSON on the command line, results go out as lines of JSON."""

import contextlib
import json
import os
import statistics
import sys
import time
import warnings


def median_seconds(step, runs, unmeasured=2):
    """The median time of `step()`, after some that compile and touch memory for the first time."""
    times = []
    for run in range(runs + unmeasured):
        begin = time.perf_counter()
        step()
        times.append(time.perf_counter() - begin)
    return statistics.median(times[unmeasured:])


def main(measure):
    """Calls `measure(peer, settings)`, which yields results, and prints them. What libraries print goes to stderr."""
    peer, settings = sys.argv[1], json.loads(sys.argv[2])
    # Before torch is imported, which reads it. XLA has no such setting, and takes the processors it may run on.
    os.environ["OMP_NUM_THREADS"] = str(settings["threads"])
    warnings.filterwarnings("ignore")
    with contextlib.redirect_stdout(sys.stderr):
        results = list(measure(peer, settings))
    for result in results:
        print(json.dumps(result))
