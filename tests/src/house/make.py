"""Makes wheels and source distributions out of what stdin says, the same bytes each time."""

import base64
import hashlib
import io
import json
import os
import re
import sys
import tarfile
import zipfile


def metadata(made):
    lines = ["Metadata-Version: 2.1", f"Name: {made['name']}", f"Version: {made['version']}"]
    if made["requires_python"]:
        lines.append(f"Requires-Python: {made['requires_python']}")
    lines += [f"Requires-Dist: {requirement}" for requirement in made["requires"]]
    lines += [f"Provides-Extra: {extra}" for extra in made["extras"]]
    return "\n".join(lines) + "\n"


def stem(made):
    return f"{re.sub(r'[-_.]+', '_', made['name'])}-{made['version']}"


def make_wheel(directory, made):
    info = f"{stem(made)}.dist-info"
    pure = "true" if made["tag"].endswith("-any") else "false"
    tags = f"Root-Is-Purelib: {pure}\nTag: {made['tag']}\n"
    files = dict(made["files"])
    files[f"{info}/METADATA"] = metadata(made)
    files[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: testbed\n" + tags
    record = f"{info}/RECORD"
    if record not in files:
        files[record] = "".join(row(path, text) for path, text in files.items()) + f"{record},,\n"
    with zipfile.ZipFile(os.path.join(directory, f"{stem(made)}-{made['tag']}.whl"), "w") as wheel:
        for path, text in files.items():
            entry = zipfile.ZipInfo(path, (2020, 2, 2, 2, 2, 2))
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            wheel.writestr(entry, text)


def row(path, text):
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
    return f"{path},sha256={digest.decode().rstrip('=')},{len(text.encode())}\n"


def make_source(directory, made):
    files = {"PKG-INFO": metadata(made), **made["files"]}
    with tarfile.open(os.path.join(directory, f"{stem(made)}.tar.gz"), "w:gz") as archive:
        for path, text in files.items():
            entry = tarfile.TarInfo(f"{stem(made)}/{path}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))


for made in json.load(sys.stdin):
    (make_source if made["tag"] is None else make_wheel)(sys.argv[1], made)
