"""Writes what an index says of the files in a directory: house.json, and each wheel's metadata."""

import email.parser
import hashlib
import json
import os
import re
import sys
import zipfile


def wheel_metadata(path):
    with zipfile.ZipFile(path) as wheel:
        names = [name for name in wheel.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name)]
        return wheel.read(names[0]) if names else None


def describe(directory, name):
    path = os.path.join(directory, name)
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    is_wheel = name.endswith(".whl")
    project = name.split("-")[0] if is_wheel else name.rsplit("-", 1)[0]
    described = {
        "file": name,
        "project": re.sub(r"[-_.]+", "-", project).lower(),
        "sha256": digest,
        "size": os.path.getsize(path),
    }
    metadata = wheel_metadata(path) if is_wheel else None
    if metadata is not None:
        with open(path + ".metadata", "wb") as file:
            file.write(metadata)
        described["metadata"] = hashlib.sha256(metadata).hexdigest()
        header = email.parser.BytesHeaderParser().parsebytes(metadata)
        described["requires_python"] = header["Requires-Python"]
    return described


directory = sys.argv[1]
files = sorted(name for name in os.listdir(directory) if name.endswith((".whl", ".tar.gz", ".zip")))
with open(os.path.join(directory, "house.json"), "w") as house:
    json.dump([describe(directory, name) for name in files], house, indent=1)
