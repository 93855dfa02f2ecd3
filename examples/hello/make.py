#!/usr/bin/env python3
"""Writes hello-amd64 and hello-arm64: static programs of a few hundred bytes that say hello.

Run it in its own directory after changing it. The machine code is written out below, so neither an
assembler nor a compiler is needed, for one processor or the other.
"""

import os
import struct

TEXT = b"Hello from an image that no container engine has touched.\n"
BASE = 0x400000
HEADERS = 64 + 56  # ELF header and one program header (System V ABI, chapters 4 and 5)


def amd64(address):
    return b"".join(
        [
            b"\xb8\x01\x00\x00\x00",  # mov eax, 1 (write)
            b"\xbf\x01\x00\x00\x00",  # mov edi, 1 (standard output)
            b"\xbe" + struct.pack("<I", address(39)),  # mov esi, text
            b"\xba" + struct.pack("<I", len(TEXT)),  # mov edx, length
            b"\x0f\x05",  # syscall
            b"\xb8\x3c\x00\x00\x00",  # mov eax, 60 (exit)
            b"\xbf\x00\x00\x00\x00",  # mov edi, 0
            b"\x0f\x05",  # syscall
            b"\x90" * 5,  # up to the text
        ]
    )


def arm64(address):
    def mov(register, value):  # movz xR, #value
        return struct.pack("<I", 0xD2800000 | value << 5 | register)

    def movk_16(register, value):  # movk xR, #value, lsl #16
        return struct.pack("<I", 0xF2A00000 | value << 5 | register)

    svc = struct.pack("<I", 0xD4000001)
    text = address(36)
    return b"".join(
        [
            mov(0, 1),  # standard output
            mov(1, text & 0xFFFF),
            movk_16(1, text >> 16),
            mov(2, len(TEXT)),
            mov(8, 64),  # write
            svc,
            mov(0, 0),
            mov(8, 93),  # exit
            svc,
        ]
    )


def program(machine, code):
    body = code(lambda offset: BASE + HEADERS + offset) + TEXT
    size = HEADERS + len(body)
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    entry = BASE + HEADERS
    header = struct.pack("<16sHHIQQQIHHHHHH", ident, 2, machine, 1, entry, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, BASE, BASE, size, size, 0x10000)
    return header + segment + body


for name, machine, code in [("amd64", 62, amd64), ("arm64", 183, arm64)]:
    path = f"hello-{name}"
    with open(path, "wb") as file:
        file.write(program(machine, code))
    os.chmod(path, 0o755)
