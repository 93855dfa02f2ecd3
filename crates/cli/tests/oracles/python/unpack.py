"""Unpacks layers, one over the other, into a directory; prints their digests and diff ids."""

import gzip
import hashlib
import json
import sys
import tarfile

root, *layers = sys.argv[1:]


def digest(file):
    return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


digests, diff_ids = [], []
for layer in layers:
    with open(layer, "rb") as file:
        digests.append(digest(file))
    with gzip.open(layer) as file:
        diff_ids.append(digest(file))
    with tarfile.open(layer, "r:gz") as archive:
        archive.extractall(root, numeric_owner=True)
json.dump({"digests": digests, "diff_ids": diff_ids}, sys.stdout)
