"""Writes the zip archives that zip_test.cpp reads: make_zips.py DIRECTORY."""

import io
import os
import sys
import zipfile


class Unseekable(io.RawIOBase):
    """Makes zipfile write sizes behind the data, in data descriptors."""

    def __init__(self):
        super().__init__()
        self.bytes = b""

    def writable(self):
        return True

    def write(self, data):
        self.bytes += bytes(data)
        return len(data)


MEMBERS = [("plain.txt", b"hello"), ("folder/inner.txt", b"inner " * 1000), ("empty", b""),
           ("nam\u00e9.txt", b"accent"), ("big.bin", bytes(range(256)) * 2000)]


def archive(target, method):
    with zipfile.ZipFile(target, "w", method) as out:
        out.writestr("folder/", b"")
        for name, content in MEMBERS:
            out.writestr(name, content)


def main():
    for method, name in ((zipfile.ZIP_STORED, "stored"), (zipfile.ZIP_DEFLATED, "deflated")):
        archive(os.path.join(sys.argv[1], name + ".zip"), method)
        piped = Unseekable()
        archive(piped, method)
        with open(os.path.join(sys.argv[1], name + "_piped.zip"), "wb") as out:
            out.write(piped.bytes)


main()
