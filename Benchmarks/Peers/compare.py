"""Runs the same work here and with peers, in turn, and prints medians: see scripts/compare-with-peers."""

import argparse
import functools
import importlib.metadata
import importlib.util
import json
import os
import pathlib
import statistics
import subprocess
import sys

import attack
import ours

FOLDER = pathlib.Path(__file__).parent
PARTS = ["pipeline", "step", "accounting", "mnist", "attack"]
# Peers by part, and the packages that each needs: the first is the one whose version is shown.
PEERS = {
    "pipeline": {
        "torch": ["torch"], "opacus": ["opacus", "torch"], "jax_privacy": ["jax_privacy", "jax"],
        "optax": ["optax", "jax"]},
    "step": {
        "opacus-hooks": ["opacus", "torch"], "opacus-ghost": ["opacus", "torch"], "torch": ["torch", "opacus"],
        "jax_privacy": ["jax_privacy", "jax", "optax"], "jax": ["jax", "jax_privacy", "optax"]},
    "accounting": {"dp_accounting": ["dp_accounting"], "opacus": ["opacus", "torch"]},
    "mnist": {"opacus": ["opacus", "torch"]},
    "attack": {
        "torch": ["torch"], "opacus": ["opacus", "torch"], "opacus-secure-mode": ["opacus", "torch"],
        "jax_privacy": ["jax_privacy", "jax"], "optax": ["optax", "jax"]},
}
CONTROL = "this package, floatingPointGaussian"


def run(command, processors):
    """What a command prints. It may use so many processors as it is to have threads: XLA counts no threads."""
    limit = processors and functools.partial(os.sched_setaffinity, 0, processors)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=limit)
    if done.returncode != 0:
        sys.exit(f"error: {' '.join(map(str, command[:4]))} … failed:\n{done.stderr[-2000:]}")
    return done.stdout


def all_processors():
    """Those that this process may run on, or none where the system does not say (macOS)."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def missing(packages):
    return [package for package in packages if importlib.util.find_spec(package) is None]


def works(part, peer, settings):
    """What is compared with a peer: the name that the table has, the work's key here, and its keys there."""
    if part == "pipeline":
        shape = f"{settings['examples']:,} × {settings['params']:,}"
        return [(f"{shape}, exact noise", "fused", {}), (f"{shape}, floating point", "fused-floating-point", {})]
    if part == "step":
        shape = f"{'-'.join(map(str, settings['dims']))}, batch {settings['batch']}"
        if peer in ("torch", "jax"):
            return [(f"{shape}, not private", "non-private", {})]
        return [(f"{shape}, exact noise", "factored", {}), (f"{shape}, floating point", "factored-floating-point", {})]
    if part == "accounting":
        names = {"epsilon": "ε", "noise-multiplier": "z for that ε"}
        return [
            (f"{names[work]}: {problem['name']}", (work, problem["name"]), {"work": work, "problem": problem["name"]})
            for problem in ours.PROBLEMS for work in names]
    if part == "mnist":
        names = {"run": "softmax at ε = 2, whole run", "steps": "softmax at ε = 2, its steps"}
    else:
        names = {"product": "product attack", "learned": "learned attack"}
    return [(name, work, {"work": work}) for work, name in names.items()]


class Part:
    """One part of the comparison, and what each side measured in each round."""

    def __init__(self, name, settings):
        self.name, self.settings = name, settings
        self.peers = [peer for peer, needs in PEERS[name].items() if not missing(needs)]
        self.ours, self.theirs = [], {peer: [] for peer in self.peers}

    def round(self, programs):
        self.ours.append(getattr(ours, self.name)(programs, self.settings))
        if self.name == "accounting":
            # Peers calibrate to the ε that was found here.
            self.settings["problems"] = [
                {**problem, "epsilon": self.ours[-1]["epsilon", problem["name"]]["value"]} for problem in ours.PROBLEMS]
        for peer in self.peers:
            command = [sys.executable, FOLDER / f"{self.name}.py", peer, json.dumps(self.settings)]
            self.theirs[peer].append([json.loads(line) for line in programs.run(command).splitlines()])
        if self.name == "attack":
            # Attacks that nothing yields to would be no attacks.
            control = ours.attack(programs, self.settings, "floatingPointGaussian")
            self.theirs.setdefault(CONTROL, []).append([{"work": work, **found} for work, found in control.items()])

    def rows(self):
        for peer, rounds in self.theirs.items():
            for name, key, keys in works(self.name, peer, self.settings):
                mine = [measured[key] for measured in self.ours]
                theirs = [
                    next(line for line in lines if keys.items() <= line.items()) for lines in rounds]
                yield {"part": self.name, "work": name, **self.medians(mine, theirs), **self.named(peer)}

    def named(self, peer):
        """A peer's name, and the version of its package."""
        if peer == CONTROL:
            return {"peer": peer, "version": ""}
        return {"peer": peer, "version": importlib.metadata.version(PEERS[self.name][peer][0].replace("_", "-"))}

    def medians(self, mine, theirs):
        """Of both sides, and of the quotients of times taken beside each other."""
        row = {}
        for key in ("seconds", "value"):
            if key in mine[0]:
                row[f"ours{key.capitalize()}"] = statistics.median(one[key] for one in mine)
                row[f"peers{key.capitalize()}"] = statistics.median(one[key] for one in theirs)
        if "seconds" in mine[0]:
            row["ratio"] = statistics.median(their["seconds"] / my["seconds"] for my, their in zip(mine, theirs))
        return row


def shown(part, seconds, value):
    """A cell: seconds, and what came of it."""
    words = []
    if seconds is not None:
        words.append(f"{seconds:.3g} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms")
    if value is not None:
        words.append({"mnist": f"{100 * value:.2f} %", "attack": f"{value:.0f} right"}.get(part, f"{value:.6f}"))
    return ", ".join(words)


def table(rows):
    cells = [("part", "work", "ours", "peer", "peer / ours", "peer's name and version")]
    for row in rows:
        cells.append((
            row["part"], row["work"], shown(row["part"], row.get("oursSeconds"), row.get("oursValue")),
            shown(row["part"], row.get("peersSeconds"), row.get("peersValue")),
            f"{row['ratio']:.3g}" if "ratio" in row else "", f"{row['peer']} {row['version']}".strip()))
    widths = [max(map(len, column)) for column in zip(*cells)]
    for line in cells:
        print("  ".join(
            cell.rjust(width) if index in (2, 3, 4) else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(line, widths))).rstrip())


def widths(text):
    return [int(width) for width in text.split(",")]


def parsed_options():
    parser = argparse.ArgumentParser(prog="scripts/compare-with-peers", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"{', '.join(PARTS)} (default: all)")
    parser.add_argument("--programs", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=3, help="how often each side has its turn (default: 3)")
    parser.add_argument("--runs", type=int, default=5, help="runs of a turn, whose median it is (default: 5)")
    parser.add_argument("--threads", type=int, default=len(all_processors()) or os.cpu_count(), help="of either side")
    parser.add_argument("--examples", type=int, default=256, help="of the pipeline's matrix")
    parser.add_argument("--params", type=int, default=1_000_000, help="of the pipeline's matrix")
    parser.add_argument("--dims", type=widths, default="784,1024,10", help="of the perceptron's layers")
    parser.add_argument("--batch", type=int, default=256, help="of the perceptron")
    parser.add_argument("--mnist", metavar="FOLDER", help="MNIST's idx files; without them that part is left out")
    parser.add_argument("--format", choices=["table", "json"], default="table")
    options = parser.parse_args()
    for name in ("rounds", "runs", "threads", "examples", "params", "batch"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} is {getattr(options, name)}, but must be at least 1")
    for part in options.parts:
        if part not in PARTS:
            parser.error(f"there is no part '{part}': {', '.join(PARTS)} are known")
    if "mnist" in options.parts and not options.mnist:
        parser.error("the part mnist needs --mnist FOLDER, with the four idx files")

    return options


def chosen_parts(options):
    """The parts to run, and a sentence for each that is left out, whole or beside one peer."""
    settings = {
        "threads": options.threads, "runs": options.runs, "examples": options.examples, "params": options.params,
        "dims": options.dims, "batch": options.batch,
        "folder": options.mnist and str(pathlib.Path(options.mnist).resolve())}
    parts, left_out = [], []
    for name in options.parts or PARTS:
        if name == "mnist" and not options.mnist:
            left_out.append("mnist: give --mnist FOLDER, with the four idx files")
            continue
        for peer, needs in PEERS[name].items():
            if missing(needs):
                left_out.append(f"{name} beside {peer}: {', '.join(missing(needs))} is not installed")
        part = Part(name, dict(settings))
        if part.peers:
            parts.append(part)
    return parts, left_out


def main():
    options = parsed_options()
    parts, left_out = chosen_parts(options)
    processors = all_processors()[:options.threads]
    programs = ours.Programs(options.programs, options.threads, functools.partial(run, processors=processors))
    for round in range(options.rounds):
        for part in parts:
            print(f"round {round + 1} of {options.rounds}: {part.name}", file=sys.stderr)
            part.round(programs)
    rows = [row for part in parts for row in part.rows()]
    if options.format == "json":
        for row in rows:
            print(json.dumps({**row, "rounds": options.rounds, "threads": options.threads}, ensure_ascii=False))
    else:
        print(f"{options.threads} threads; medians of {options.rounds} rounds of {options.runs} runs")
        table(rows)
        if any(part.name == "attack" for part in parts):
            print(f"attack: of {2 * attack.BLOCKS} answers; {attack.BLOCKS} are right by guessing, and "
                  f"{attack.most_by_size():.0f} by the size of numbers alone, which ε covers")
    for sentence in left_out:
        print(f"left out: {sentence}", file=sys.stderr)


if __name__ == "__main__":
    main()
