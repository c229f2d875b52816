"""Writes a docker-archive of several gigabytes to stdout, to see that the scanner's memory does not depend on the size.

usage: large.py CACHE image     ten layers of a gigabyte, all different
       large.py CACHE file      one layer with one file of five gigabytes"""
import hashlib
import json
import os
import shutil
import sys
import tarfile

BLOCK = 512
END = bytes(2 * BLOCK)


def header(name, size):
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


class Out:
    """Standard output; hashes what is written while a layer is open."""

    def __init__(self):
        self.digest = hashlib.sha256()

    def write(self, data):
        self.digest.update(data)
        sys.stdout.buffer.write(data)


def put_layer(name, size, pieces):
    sys.stdout.buffer.write(header(name, size))
    out = Out()
    pieces(out)
    sys.stdout.buffer.write(bytes(-size % BLOCK))
    return out.digest.hexdigest()


def image(cache):
    content = os.path.join(cache, 'layers', 'all.tar')
    size = os.path.getsize(content)
    for number in range(10):
        mark = header(f'mark-{number}', BLOCK) + str(number).encode().ljust(BLOCK, b'\0')

        def pieces(out, mark=mark):
            out.write(mark)
            with open(content, 'rb') as file:
                shutil.copyfileobj(file, out, 1 << 20)
        name = f'{number}/layer.tar'
        yield name, put_layer(name, len(mark) + size, pieces)


def file(cache):
    content = os.path.join(cache, 'layers', 'text.tar')
    copies = 5 * (1 << 30) // os.path.getsize(content)
    size = copies * os.path.getsize(content)

    def pieces(out):
        out.write(header('large.txt', size))
        for _ in range(copies):
            with open(content, 'rb') as text:
                shutil.copyfileobj(text, out, 1 << 20)
        out.write(bytes(-size % BLOCK) + END)
    yield '0/layer.tar', put_layer('0/layer.tar', BLOCK + size + -size % BLOCK + len(END), pieces)


def main(cache, kind):
    layers = dict({'image': image, 'file': file}[kind](cache))
    config = json.dumps({'os': 'linux', 'architecture': 'amd64', 'config': {}, 'history': [],
                         'rootfs': {'type': 'layers', 'diff_ids': ['sha256:' + d for d in layers.values()]}}).encode()
    manifest = json.dumps([{'Config': 'config.json', 'RepoTags': ['large:1'], 'Layers': list(layers)}]).encode()
    for name, data in (('config.json', config), ('manifest.json', manifest)):
        sys.stdout.buffer.write(header(name, len(data)) + data + bytes(-len(data) % BLOCK))
    sys.stdout.buffer.write(END)


if __name__ == '__main__':
    main(*sys.argv[1:])
