#!/usr/bin/env python3
"""Writes the first inputs of each fuzz target into `fuzz/corpus/`.

They are small, and each shows the target something that it would take long to find. What runs of
the fuzzer added is kept beside them; `README.md` says how. Needs the tool `zstd`.
"""

import bz2
import gzip
import io
import lzma
import pathlib
import struct
import subprocess
import tarfile
import zipfile

CORPUS = pathlib.Path(__file__).parent / "corpus"


def main():
    for name, text in DOCKERFILES.items():
        put("dockerfile", name, text)
    for number, text in enumerate(REFERENCES):
        put("reference", f"name-{number}", text)
    for number, (path, patterns) in enumerate(PATTERNS):
        put("patterns", f"file-{number}", f"{path}\0{patterns}")
    for name, text in MANIFESTS.items():
        put("manifest", name, text)
    for name, text in CONFIGS.items():
        put("config", name, text)
    for name, program in PROGRAMS.items():
        put("root_fs", name, program)
    made = {"tar": tars(), "index": indexes(), "archive": archives(), "wheel": wheels()}
    for target, inputs in made.items():
        for name, data in inputs:
            put(target, name, data)


def put(target, name, data):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)


DOCKERFILES = {
    "scratch": 'FROM scratch\nCOPY app /app\nENTRYPOINT ["/app"]\n',
    "stages": """# syntax=docker/dockerfile:1
# check=skip=StageNameCasing;error=true
ARG VERSION=3.12
FROM --platform=$BUILDPLATFORM golang:${VERSION} AS build
WORKDIR /src
COPY --link go.* ./
RUN --mount=type=cache,target=/root/.cache \\
    # a comment in between
    go build -o /out/app .
FROM scratch AS final
COPY --from=build --chown=1000:users --chmod=u=rwX,go=rX /out/app /bin/
USER app:staff
EXPOSE 80/tcp 8000-8010/udp $PORT
HEALTHCHECK --interval=1m30s --timeout=3s --start-period=.5s --retries=3 CMD ["/bin/app", "ping"]
CMD ["serve"]
""",
    "escape": '# escape=`\nFROM a`\n as b\nSHELL ["cmd", "/S"]\nRUN dir `\n  C:\\\nWORKDIR C:\\$x`$y\n',
    "heredocs": """FROM a
RUN <<EOF
echo $a ${b:-c}
EOF
RUN <<-'A B' cat <<C
\tone
\tA B
two
C
COPY <<E 3<<"F" file /dst/
$a \\$b 'c'
E
${x}
F
""",
    "add": """FROM a
ADD --checksum=sha256:00 --keep-git-dir=true --unpack=false https://h/f.tgz#x:y /d
ADD --exclude=*.md --exclude=!a ["a b", "c", "/d/"]
COPY --parents ./a/./b* /c
""",
    "pairs": """FROM a
ENV a=b c="d e" f='g$h' i=j\\ k
ENV old value of it
LABEL a.b="c\\
d" "e f"=g
ARG x y=1 z=${y}2
VOLUME ["/a", "/b"]
VOLUME /c /d
STOPSIGNAL ${SIG:-TERM}
""",
    "operators": """FROM a
ENV x=${a:-b$c} y=${a-b} z=${a:+c} w=${a+c} v=${a:?no} u=${a#x*} t=${a##?}
ENV s=${a%/*} r=${a%%[x-z]} q=${a/x/y} p=${a//\\//-} o=${D:-${C:-"}"}} n='$a' m=\\$a l=$1 k=$$
""",
    "triggers": "FROM a\nONBUILD COPY . /app\nONBUILD RUN <<E\nx\nE\nMAINTAINER me <me@h>\nHEALTHCHECK NONE\n",
    "mounts": """FROM a
RUN --mount=type=bind,from=b,source=/x,target=/y,rw --mount=type=secret,id=s,env=S,required \\
  --mount=type=tmpfs,target=/t,size=10m --mount=type=ssh --network=none --device=d ["a"]
""",
    "broken": "FORM a\nCPOY b c\nRUN --moutn=x\n[\nCOPY\nENV =\nONBUILD ONBUILD FROM x\nHEALTHCHECK --retries=x CMD\n",
    "empty-lines": "\ufeffFROM a\n\n\nRUN a \\\n\n  # c\n  b \\",
    "carriage-returns": "FROM a\r\nRUN b \\\r\n c\r\nCOPY <<E /x\r\nd\r\nE\r\n",
    "wide": "FROM é\nRUN 🖖\u2028x\nLABEL \u00a0=\u3000 ü=\"ß\"\n",
    "checks": """FROM --platform=linux/amd64 a As B
from $x
Env PASSWORD=x KEY $k
CMD a
CMD b
WORKDIR a
EXPOSE 80/TCP a:b
COPY $u /
# check=skip=all
ENTRYPOINT c
MAINTAINER d
FROM a AS scratch
FROM a AS B
""",
    "trigger": "COPY --from=a <<E b /c/\n$x\nE\n",
}

REFERENCES = [
    "python:3.12",
    "docker.io/library/a/b",
    "docker.io/localhost/a:b",
    "localhost:5000/a/b__c-d.e:T_-.1",
    "[::1]:5000/a@sha256:" + 64 * "0",
    "index.docker.io/a",
    "HOST/a",
    "Name:1",
    "a.b/c@sha512:" + 128 * "f",
    "linux/arm/v6",
    "linux/x86_64/v1",
    "armhf",
    "windows/amd64",
    "latest",
    "sha256:" + 64 * "a",
    "application/vnd.oci.image.layer.v1.tar+gzip; charset=utf-8",
    "application/vnd.docker.distribution.manifest.v2+json",
]

# A path and an ignore file.
PATTERNS = [
    ("src/lib.rs", "*.md\n!README.md\n**/*.rs\n"),
    ("a/b/c", "# comment\n  /a/b/ \n!a/b/c\n**/c\na/**\n"),
    ("node_modules/x/y", "**/node_modules\n!**/node_modules/x\nnode_modules/x/y/..\n"),
    ("é/ζ", "[a-ζ]*\n?/[^/]\n[!a]\n[z-a]\n\\[\\*\n"),
    ("a-b/c.d", "a?b/*.[cd]\na*b*c*d*\n**/**/c**\n./a-b//../a-b\n"),
    (".git", "*\n!.dockerignore\n!\n"),
    ("a/b", "[\n"),
    ("a/b", "a\\\n[]\n[-]\n[a-]\n"),
    ("x/a/y", "#!include:other\n**a\na**\n**a**\n"),
    ("a", "\ufeff!a\n\r\n .\n..\n/\n**\n***\n"),
]

SHA = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
OCI = "application/vnd.oci.image."
DOCKER = "application/vnd.docker."


def descriptor(media_type, more=""):
    return '{"mediaType":"%s","digest":"%s","size":2%s}' % (media_type, SHA, more)


def manifest(*fields):
    return "{%s}" % ",".join(('"schemaVersion":2',) + fields)


MANIFESTS = {
    "oci": manifest(
        '"mediaType":"%smanifest.v1+json"' % OCI,
        '"config":' + descriptor(OCI + "config.v1+json"),
        '"layers":[%s,%s]' % (descriptor(OCI + "layer.v1.tar+gzip"), descriptor(OCI + "layer.v1.tar+zstd")),
        '"annotations":{"a":"b"}',
    ),
    "docker": manifest(
        '"mediaType":"%sdistribution.manifest.v2+json"' % DOCKER,
        '"config":' + descriptor(DOCKER + "container.image.v1+json"),
        '"layers":[%s]' % descriptor(DOCKER + "image.rootfs.foreign.diff.tar.gzip", ',"urls":["https://h/x"]'),
    ),
    "no-type": manifest('"config":' + descriptor("a/b"), '"layers":[]'),
    "index": manifest(
        '"mediaType":"%sindex.v1+json"' % OCI,
        '"manifests":[%s,%s,%s]'
        % (
            descriptor("a/b", ',"platform":{"architecture":"arm","os":"linux","variant":"v7"}'),
            descriptor(
                "a/b",
                ',"platform":{"architecture":"amd64","os":"windows","os.version":"10.0","os.features":["win32k"]}',
            ),
            descriptor("a/b", ',"platform":{"architecture":"unknown","os":"unknown"},"annotations":{"x":"y"}'),
        ),
    ),
    "list": manifest('"mediaType":"%sdistribution.manifest.list.v2+json"' % DOCKER, '"manifests":[]'),
    "artifact": manifest(
        '"artifactType":"a/b"',
        '"config":' + descriptor("application/vnd.oci.empty.v1+json", ',"data":"e30="'),
        '"layers":[]',
        '"subject":' + descriptor("c/d", ',"artifactType":"e/f"'),
    ),
    "schema-1": '{"schemaVersion":1,"name":"a","fsLayers":[]}',
    "both": manifest('"layers":[]', '"manifests":[]'),
}

CONFIGS = {
    "docker": """{"architecture":"amd64","os":"linux","config":{"Hostname":"","User":"app",
"Env":["PATH=/bin","A","B=C=D"],"Cmd":["sh"],"Entrypoint":null,"WorkingDir":"/w",
"Labels":{"z":"1","a":"2"},"ExposedPorts":{"80/tcp":{}},"Volumes":{"/v":{}},"StopSignal":"INT",
"Shell":["sh","-c"],"OnBuild":["RUN x"],"ArgsEscaped":true,
"Healthcheck":{"Test":["CMD","x"],"Interval":30000000000,"Retries":3}},
"created":"2024-01-01T00:00:00.5Z","rootfs":{"type":"layers","diff_ids":["%s"]},
"history":[{"created":"2024-01-01T00:00:00Z","created_by":"/bin/sh","author":"a","comment":"b",
"empty_layer":true},{}],"container":"x","docker_version":"1","moby.buildkit.cache.v0":"e30="}"""
    % SHA,
    "least": '{"rootfs":{}}',
    "nulls": '{"architecture":null,"os":null,"variant":"","config":null,"history":null,"rootfs":{"diff_ids":null}}',
    "unknown": r'{"x":{"b":1,"a":[2,-3,1.5e300,31.245270191439438,18446744073709551616,"\ud83d\ude00\u0000"]},"rootfs":{},"os.version":1}',
    "wrong": '{"rootfs":{},"config":{"Env":"A=1","Labels":[],"Healthcheck":{"Retries":"x"}}}',
    "arm": '{"architecture":"arm","variant":"v7","os":"linux","rootfs":{"type":"layers","diff_ids":[]},"config":{"Labels":null,"Env":[]}}',
}

# See `root_fs.rs`: what it is, where, and for links where to.
A, AB, ABC, B, BA, C = 0x40, 0x84, 0xF4, 0x41, 0x81, 0x43
PROGRAMS = {
    "upper-wins": bytes([4, A, 0, AB, 0, B, 15, 0, 0x10, AB]),
    "whiteouts": bytes([4, A, 0, AB, 0, ABC, 15, 0, 11, AB, 11, B, 15, 0, 0, AB]),
    "opaque": bytes([0, ABC, 15, 0, 13, A, 0x30, AB, 15, 0, 13, 0]),
    "links": bytes([4, BA, 7, A, B, 8, C, AB, 9, AB, BA, 10, ABC, A, 15, 0, 7, A, AB]),
    "file-over-directory": bytes([0, ABC, 15, 0, 0, A, 15, 0, 0, AB, 15, 0, 11, ABC]),
    "below-a-link": bytes([7, A, B, 0, AB, 15, 0, 0, AB, 13, AB]),
    "loop": bytes([7, A, B, 7, B, A, 10, C, C]),
    "marker-below-a-file": bytes([0, A, 11, ABC, 13, AB, 15, 0, 0x20, 0, 13, A, 11, A]),
    "below-a-file": bytes([0, ABC, 0, A, 15, 0, 4, A]),
    "out-of-what-is-missing": bytes([9, A, BA, 9, BA, ABC, 4, C]),
}

FILE, FOLDER, LINK, SYMLINK = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.LNKTYPE, tarfile.SYMTYPE


def tar(*members, form=tarfile.USTAR_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, kind, fields in members:
            content = fields.pop("content", b"")
            info = tarfile.TarInfo(name)
            info.type, info.size = kind, len(content)
            for key, value in fields.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(content))
    # Two blocks of zeros end it; what else there is of them is padding for tapes.
    data = out.getvalue().rstrip(b"\0")
    return data + bytes(-len(data) % 512) + bytes(1024)


def tars():
    yield "files", tar(
        ("./", FOLDER, {}),
        ("a/", FOLDER, {"mode": 0o1777}),
        ("a/b", FILE, {"content": b"hello\n"}),
        ("a/b", FILE, {}),
    )
    yield "links", tar(
        ("a", FILE, {"content": b"x"}),
        ("b", LINK, {"linkname": "a"}),
        ("c", SYMLINK, {"linkname": "../b"}),
        ("d", SYMLINK, {"linkname": "/e/../c"}),
    )
    yield "devices", tar(
        ("n", tarfile.CHRTYPE, {"devmajor": 1, "devminor": 3}),
        ("s", tarfile.BLKTYPE, {"devmajor": 8}),
        ("p", tarfile.FIFOTYPE, {}),
    )
    yield "whiteouts", tar(
        ("a/.wh.b", FILE, {}),
        ("a/.wh..wh..opq", FILE, {}),
        (".wh..wh.plnk", FOLDER, {}),
        ("a/c", FILE, {}),
    )
    yield "prefix", tar(("d" * 90 + "/" + "f" * 90, FILE, {"content": b"1"}))
    yield "pax", tar(
        ("é" * 60, FILE, {"pax_headers": {"SCHILY.xattr.security.capability": "x", "mtime": "-1.5"}}),
        ("b", SYMLINK, {"linkname": "t" * 200}),
        form=tarfile.PAX_FORMAT,
    )
    yield "gnu", tar(
        ("n" * 200, FILE, {"uid": 1 << 30, "mtime": -5}),
        ("b", LINK, {"linkname": "n" * 200}),
        form=tarfile.GNU_FORMAT,
    )
    yield "global", tar(
        ("g", tarfile.XGLTYPE, {"content": b"9 path=g\n8 uid=7\n"}), ("a", FILE, {}), ("b", FOLDER, {})
    )
    yield "sparse", tar(
        ("x", tarfile.XHDTYPE, {"content": b"22 GNU.sparse.major=1\n"}), ("a", FILE, {})
    )
    yield "climbs", tar(("a/../../b", FILE, {}))
    yield "empty", bytes(1024)
    yield "cut-off", tar(("a", FILE, {"content": b"x" * 600}))[:700]
    yield "below-a-file", tar(
        ("a", FILE, {}),
        ("a/b", FILE, {}),
        ("c", SYMLINK, {"linkname": "a"}),
        ("c/d", FILE, {}),
    )


def number(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def index(*entries, offsets=False):
    """An index's bytes but for the checksum, of entries (shared, rest, kind, what follows)."""
    out = bytes([1, int(offsets)]) + number(len(entries))
    for shared, rest, kind, behind in entries:
        out += number(shared) + number(len(rest)) + rest + bytes([kind]) + behind
    return out


def with_length(body):
    return struct.pack("<H", len(body)) + body


def indexes():
    directory = b"\xed\x03\x00\x00\x02\x00"
    plain = b"\xa4\x03\x00\x00\x02\x00"
    content = bytes(1) + bytes(range(32)) + number(5)
    lower = index(
        (0, b"", 1, directory),
        (0, b"a", 1, directory),
        (1, b"/b", 0, plain + content + number(1536)),
        (2, b"c", 3, plain + number(3) + b"a/b"),
        (2, b"d", 2, plain + number(4) + b"../e"),
        (0, b"e", 4, plain + b"\x01\x03"),
        (0, b"f", 6, b"\x00\x00\x00\x00\x01" + number(1) + b"x" + number(2) + b"yz"),
        offsets=True,
    )
    upper = index(
        (0, b"", 8, b""),
        (0, b"a/b", 7, b""),
        (0, b"a/x", 5, plain + b"\x01\x03"),
        (0, b"e/f", 8, b""),
    )
    sha512 = index((0, b"a", 0, plain + b"\x01" + bytes(64) + number(1)))
    yield "two", with_length(lower) + with_length(upper)
    yield "not-loaded", with_length(b"") + with_length(upper)
    yield "sha512", with_length(sha512)
    yield "root-is-gone", with_length(index((0, b"", 7, b"")))
    yield "empty", with_length(index()) + with_length(index(offsets=True))
    yield "blocks", bytes([1, 1, 4]) + bytes(44) + bytes(range(44))
    yield "blocks-zstd", bytes([1, 2, 3]) + bytes(44)


def zstd(data):
    command = ["zstd", "--quiet", "--no-check", "-3"]
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout


def archives():
    plain = tar(("a", FILE, {"content": b"hello\n"}))
    packed = gzip.compress(plain, mtime=0)
    skippable = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc"
    zeros = bytes(2 << 20)
    yield "plain", plain
    yield "gzip", packed
    yield "gzip-members", gzip.compress(plain[:512], mtime=0) + gzip.compress(plain[512:], mtime=0)
    yield "bzip2", bz2.compress(plain)
    yield "xz", lzma.compress(plain, preset=1)
    yield "xz-sha256", lzma.compress(plain, check=lzma.CHECK_SHA256)
    yield "zstd", zstd(plain)
    yield "zstd-frames", skippable + zstd(plain) + zstd(plain)
    yield "cut-off", packed[:-9]
    yield "no-tar", gzip.compress(b"hello", mtime=0)
    yield "zeros-gzip", gzip.compress(zeros, mtime=0)
    yield "zeros-bzip2", bz2.compress(zeros)
    yield "zeros-xz", lzma.compress(zeros, preset=1)
    yield "zeros-zstd", zstd(zeros)


def wheel(*files, method=zipfile.ZIP_DEFLATED, comment=b"", big=False):
    buffer = io.BytesIO()
    info = "sample-1.0.dist-info/"
    texts = {
        info + "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n",
        info + "METADATA": "Name: sample\nVersion: 1.0\n",
        info + "RECORD": f"a.py,sha256=,\n{info}RECORD,,\n",
    }
    texts.update(files)
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.comment = comment
        for name, text in texts.items():
            member = zipfile.ZipInfo(name)
            member.compress_type = method
            with archive.open(member, "w", force_zip64=big) as file:
                file.write(text.encode())
    return buffer.getvalue()


def wheels():
    scripts = "[console_scripts]\na = a:b [x]\npip = a:c\n[gui_scripts]\ng = a.b:c.d\n"
    data = "sample-1.0.data/"
    yield "plain", wheel(("a.py", "a = 1\n"))
    yield "stored", wheel(("a.py", "a = 1\n"), method=zipfile.ZIP_STORED)
    yield "bzip2", wheel(("a.py", "a = 1\n"), method=zipfile.ZIP_BZIP2)
    yield "zip64", wheel(("a.py", "a = 1\n"), big=True)
    yield "comment", wheel(("a.py", ""), comment=b"a comment")
    yield "entry-points", wheel(("sample-1.0.dist-info/entry_points.txt", scripts))
    yield "data", wheel(
        (data + "scripts/run", "#!python\n"),
        (data + "headers/a.h", ""),
        (data + "data/share/x", ""),
        (data + "purelib/p.py", ""),
        (data + "platlib/p.so", ""),
    )
    yield "unicode", wheel(("\u00e4.py", ""))
    yield "climbing", wheel(("../a.py", ""))
    yield "cut-off", wheel(("a.py", ""))[:-30]


if __name__ == "__main__":
    main()
