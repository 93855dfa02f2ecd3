"""Counts the ELF files in layers, by the machine that they are for. Prints JSON."""

import collections
import json
import struct
import sys
import tarfile

found = collections.Counter()
for layer in sys.argv[1:]:
    with tarfile.open(layer, "r:gz") as archive:
        for member in archive:
            head = archive.extractfile(member).read(20) if member.isfile() else b""
            if head.startswith(b"\x7fELF"):
                found[struct.unpack_from("<H", head, 18)[0]] += 1
json.dump(found, sys.stdout)
