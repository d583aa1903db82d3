"""This package's side: runs `dp` and `dpbench`, and returns what they measured by work."""

import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy

import attack as attacks

# As `dpbench accounting` has them; the first is the setting that is quoted.
PROBLEMS = [
    {"name": "z 1.1, q 256/60000, 14062 steps", "z": 1.1, "q": 256 / 60000, "steps": 14062, "delta": 1e-5},
    {"name": "z 0.6, q 0.01, 1000 steps", "z": 0.6, "q": 0.01, "steps": 1000, "delta": 1e-5},
    {"name": "z 0.8, q 0.004, 2000 steps", "z": 0.8, "q": 0.004, "steps": 2000, "delta": 1e-5},
]


class Programs:
    """The folder of `dp` and `dpbench`, and how they are run."""

    def __init__(self, folder, threads, run):
        self.folder, self.threads, self.run = pathlib.Path(folder), threads, run

    def records(self, program, *arguments):
        """The lines of JSON that a program prints."""
        output = self.run([self.folder / program, *map(str, arguments), "--format", "json"])
        return [json.loads(line) for line in output.splitlines() if line.startswith("{")]

    def paths(self, *arguments):
        records = self.records("dpbench", *arguments, "--threads", self.threads)
        return {record["path"]: {"seconds": record["seconds"]} for record in records}


def pipeline(programs, settings):
    return programs.paths(
        "pipeline", "--examples", settings["examples"], "--params", settings["params"], "--transform", "none", "--runs",
        settings["runs"])


def step(programs, settings):
    return programs.paths(
        "step", "--dims", ",".join(map(str, settings["dims"])), "--batch", settings["batch"], "--path", "factored",
        "--path", "factored-floating-point", "--runs", settings["runs"])


def accounting(programs, settings):
    records = programs.records("dpbench", "accounting", "--runs", settings["runs"])
    results = {}
    for problem in PROBLEMS:
        about = problem["z"], problem["q"], problem["steps"], problem["delta"]
        for record in records:
            keys = "noiseMultiplier", "samplingProbability", "iterations", "delta"
            work = {"pld-epsilon": "epsilon", "calibrate-noise": "noise-multiplier"}.get(record["path"])
            if work and tuple(record[key] for key in keys) == about:
                results[work, problem["name"]] = {"seconds": record["seconds"], "value": record["value"]}
    return results


def mnist(programs, settings):
    """Also puts into `settings` what was chosen, for peers to do the same."""
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        *_, result = programs.records(
            "dp", "train", "--data", settings["folder"], "--epsilon", 2, "--delta", 1e-5, "--model", "softmax",
            "--threads", programs.threads, "--output", f"{folder}/run")
        seconds = time.perf_counter() - begin
        chosen = json.loads(pathlib.Path(folder, "run", "config.json").read_text())
    plan, optimizer = chosen["plan"], chosen["optimizer"]
    sampling = plan["sampling"]
    settings.update(
        epsilon=plan["epsilon"], delta=plan["delta"], steps=plan["iterations"], clip=plan["clipping"]["l2ClipNorm"],
        batch=sampling["exampleCount"] * sampling["samplingProbability"], rate=optimizer["learningRate"],
        momentum=optimizer["momentum"], tail=chosen["averaging"]["fraction"])
    value = result["testAccuracy"]
    return {
        "run": {"seconds": seconds, "value": value}, "steps": {"seconds": result["secondsInSteps"], "value": value}}


def attack(programs, settings, noise="discreteGaussian"):
    """One step of `dp train` from zero at rate 1, so that parameters are the noisy sum over −64."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        numpy.save(folder / "labels.npy", numpy.zeros(attacks.EXAMPLES, numpy.int64))
        for kind in attacks.KINDS:
            numpy.save(folder / f"{kind}.npy", attacks.inputs(kind == "with"))

        def release(kind):
            run = tempfile.mkdtemp(dir=folder)
            programs.records(
                "dp", "train", "--data", folder / f"{kind}.npy", "--labels", folder / "labels.npy", "--classes",
                attacks.CLASSES, "--inputs", "features", "--model", "softmax", "--noise", noise, "--noise-multiplier",
                attacks.NOISE_MULTIPLIER, "--delta", 1e-5, "--clip", 1, "--batch", attacks.EXAMPLES, "--iterations", 1,
                "--optimizer", "sgd", "--learning-rate", 1, "--momentum", 0, "--threads", programs.threads,
                "--output", f"{run}/run")
            kernel = attacks.read_safetensors(f"{run}/run/model.safetensors")["dense1.kernel"]
            return numpy.float32(-attacks.EXAMPLES) * kernel

        return {work: {"value": right} for work, right in attacks.right_answers(release).items()}
