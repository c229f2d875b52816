"""Writes many small tar archives with GNU tar and with Python's tarfile, and beside each what Python reads in it.

make_tars.py DIRECTORY COUNT SEED: N.tar and N.list; a line is "type size sha256 path link", the last two in hex.
"""

import hashlib
import io
import os
import random
import shutil
import subprocess
import sys
import tarfile


def random_name(rng, longest):
    alphabet = "abcdefghij ._-\u00e9\u4e2d"
    while True:
        parts = ["".join(rng.choice(alphabet) for _ in range(rng.randint(1, rng.choice([3, 20, 120])))).encode()[:200]
                 .decode("utf-8", "ignore") for _ in range(rng.randint(1, 4))]
        name = "/".join(part.strip() for part in parts)
        if all(part not in ("", ".", "..") for part in name.split("/")) and len(name.encode()) <= longest:
            return name


def random_content(rng):
    kind = rng.randrange(6)
    if kind == 0:
        return b""
    if kind == 1:
        return rng.randbytes(rng.choice([1, 511, 512, 513, 1024, 10239, 10240]))
    if kind == 2:
        return b"".join(rng.choice([b"\0" * rng.randint(1, 30000), rng.randbytes(rng.randint(1, 600))])
                        for _ in range(rng.randint(1, 12)))
    return rng.randbytes(rng.randrange(5000))


def write_tree(rng, root, longest):
    files = []
    for _ in range(rng.randint(1, 8)):
        path = os.path.join(root, random_name(rng, longest))
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            kind = rng.randrange(8)
            if kind == 0:
                os.symlink(random_name(rng, rng.choice([50, 400])), path)
            elif kind == 1 and files:
                os.link(rng.choice(files), path)
            elif kind == 2:
                os.mkfifo(path)
            else:
                with open(path, "wb") as file:
                    file.write(random_content(rng))
                files.append(path)
        except OSError:
            continue


def with_gnu_tar(rng, scratch, target):
    root = os.path.join(scratch, "tree")
    os.mkdir(root)
    write_tree(rng, root, rng.choice([60, 300]))
    options = rng.choice([["--format=v7"], ["--format=ustar"], ["--format=gnu"], ["--format=gnu", "--sparse"],
                          ["--format=pax"], ["--format=pax", "--sparse", "--sparse-version=0.0"],
                          ["--format=pax", "--sparse", "--sparse-version=0.1"],
                          ["--format=pax", "--sparse", "--sparse-version=1.0"]])
    options += rng.choice([[], ["--hole-detection=raw"]]) if "--sparse" in options else []
    subprocess.run(["tar", "-cf", target, *options, "-C", root, "."], stderr=subprocess.DEVNULL, check=False)
    shutil.rmtree(root)


def with_python(rng, target):
    form = rng.choice([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
    with tarfile.open(target, "w", format=form) as archive:
        for _ in range(rng.randint(1, 10)):
            info = tarfile.TarInfo(random_name(rng, 90 if form == tarfile.USTAR_FORMAT else 400))
            content = b""
            kind = rng.randrange(8)
            if kind == 0:
                info.type, info.linkname = tarfile.SYMTYPE, random_name(rng, 90)
            elif kind == 1:
                info.type, info.linkname = tarfile.LNKTYPE, random_name(rng, 90)
            elif kind == 2:
                info.type = tarfile.DIRTYPE
            elif kind == 3:
                info.type = rng.choice([tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
            else:
                content = random_content(rng)
            if form == tarfile.PAX_FORMAT and rng.randrange(2):
                info.pax_headers = {"SCHILY.xattr.user.note": "value " + str(rng.random()), "comment": "c\u00e9"}
            info.size = len(content)
            info.mtime = rng.choice([0, 1.5, 1 << 34]) if form != tarfile.USTAR_FORMAT else 0
            archive.addfile(info, io.BytesIO(content))


def listing(path):
    lines = []
    with tarfile.open(path) as archive:
        for info in archive:
            kind = ("hard_link" if info.islnk() else "symlink" if info.issym() else "directory" if info.isdir()
                    else "file" if info.isfile() else "other")
            content = archive.extractfile(info).read() if kind == "file" else b""
            link = info.linkname if kind in ("hard_link", "symlink") else ""
            name, link = (text.encode("utf-8", "surrogateescape").hex() or "-" for text in (info.name, link))
            lines.append(f"{kind} {len(content)} {hashlib.sha256(content).hexdigest()} {name} {link}\n")
    return "".join(lines)


def main():
    directory, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    scratch = os.path.join(directory, "scratch")
    os.mkdir(scratch)
    for number in range(count):
        rng = random.Random(seed * 1000003 + number)
        target = os.path.join(directory, f"{number}.tar")
        if rng.randrange(3):
            with_gnu_tar(rng, scratch, target)
        else:
            with_python(rng, target)
        with open(os.path.join(directory, f"{number}.list"), "w", encoding="ascii") as out:
            out.write(listing(target))


main()
