"""Tries what is installed in a directory: metadata, imports, console scripts. Prints JSON."""

import base64
import concurrent.futures
import hashlib
import importlib.metadata
import json
import os
import re
import subprocess
import sys

SITE = sys.argv[1]
LIMIT = 120
# What is compiled once serves all processes, and the tree stays as it is.
BYTECODE = {"PYTHONPYCACHEPREFIX": "/tmp/bytecode", "PYTHONDONTWRITEBYTECODE": ""}
ENVIRONMENT = {**os.environ, **BYTECODE}


def normalized(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def flaws(distribution):
    """Files that are missing or not as RECORD says."""
    for file in distribution.files or []:
        path = file.locate()
        if not os.path.lexists(path):
            if not str(file).endswith(".pyc"):
                yield f"{file} is missing"
        elif file.hash is not None:
            with open(path, "rb") as opened:
                content = opened.read()
            digest = base64.urlsafe_b64encode(hashlib.new(file.hash.mode, content).digest())
            if digest.decode().rstrip("=") != file.hash.value or file.size != len(content):
                yield f"{file} is not as recorded"


def described(distribution):
    files = distribution.files or []
    requires = distribution.requires or []
    wrong = list(flaws(distribution))
    summary = f"{distribution.version}, {len(files)} files, {len(requires)} requirements"
    return summary + "".join(f"; {flaw}" for flaw in wrong[:5])


def modules(distribution):
    """Top-level modules and packages, of namespace packages each part that is the distribution's."""
    found = set()
    for file in distribution.files or []:
        parts = file.parts
        if parts[0] == ".." or parts[0].endswith((".dist-info", ".data")):
            continue
        if len(parts) == 1:
            match = re.fullmatch(r"([A-Za-z_]\w*)(\.cpython-\w+-[\w-]+|\.abi3)?\.(py|so)", parts[0])
            found.update([match[1]] if match else [])
        elif parts[-1] == "__init__.py" and all(part.isidentifier() for part in parts[:-1]):
            found.add(".".join(parts[:-1]))
    return {name for name in found if not any(name.startswith(other + ".") for other in found)}


def last_line(text):
    lines = [line for line in text.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip()[:200] if lines else ""


def run(words):
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LIMIT,
            cwd="/tmp",
            env=ENVIRONMENT,
        )
    except subprocess.TimeoutExpired:
        return "no end"
    except OSError as error:
        return f"{type(error).__name__}: {error}"
    if done.returncode == 0:
        return "exit 0"
    return f"exit {done.returncode}: {last_line(done.stderr)}"


def imported(name):
    how = run([sys.executable, "-W", "ignore", "-c", f"import {name}"])
    return "ok" if how == "exit 0" else how


def helped(path):
    return run([path, "--help"])


def tried(pool, function, arguments):
    return dict(zip(arguments, pool.map(function, arguments.values())))


distributions = list(importlib.metadata.distributions(path=[SITE]))
names = sorted({name for distribution in distributions for name in modules(distribution)})
prefix = os.path.dirname(os.path.dirname(os.path.dirname(SITE)))
scripts = sorted(
    {
        point.name
        for distribution in distributions
        for point in distribution.entry_points
        if point.group == "console_scripts"
    }
)
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    result = {
        "distributions": {
            normalized(distribution.metadata["Name"]): described(distribution)
            for distribution in distributions
        },
        "imports": tried(pool, imported, {name: name for name in names}),
        "scripts": tried(pool, helped, {name: f"{prefix}/bin/{name}" for name in scripts}),
    }
json.dump(result, sys.stdout)
