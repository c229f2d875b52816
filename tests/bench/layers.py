"""Packs directory trees into layer tars whose bytes depend on the trees' content alone.

usage: layers.py diff ROOT LISTING OUT     what changed since LISTING (a JSON file, rewritten), with whiteouts
       layers.py whole ROOT OUT            everything
       layers.py text ROOT OUT             source-like text only
"""
import hashlib
import json
import os
import stat
import sys
import tarfile

# What differs between two runs of the same installation, and is no content.
VOLATILE = ('proc/', 'sys/', 'dev/', 'run/', 'tmp/', 'var/tmp/', 'var/log/', 'var/cache/', 'var/lib/apt/lists/',
            'etc/resolv.conf', 'etc/hostname', 'etc/machine-id', 'var/lib/dpkg/lock', 'var/lib/systemd/')
TEXT = ('.py', '.pyi', '.js', '.mjs', '.cjs', '.ts', '.jsx', '.css', '.html', '.json', '.pm', '.pl', '.pod', '.h',
        '.hpp', '.hh', '.ipp', '.txt', '.md', '.rst', '.po', '.sh', '.yaml', '.yml', '.xml')


def volatile(path):
    return any(path.startswith(name) for name in VOLATILE) or path.endswith('-old') or path.endswith('/aux-cache')


def paths(root):
    """Every path below `root` that counts, sorted by bytes, parents first."""
    found = []
    for here, directories, files in os.walk(root):
        relative = os.path.relpath(here, root)
        prefix = '' if relative == '.' else relative + '/'
        found += [prefix + name for name in directories + files]
        directories[:] = [d for d in directories if not os.path.islink(os.path.join(here, d))]
    return sorted((p for p in found if not volatile(p)), key=os.fsencode)


def sha256(path):
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        for block in iter(lambda: file.read(1 << 20), b''):
            digest.update(block)
    return digest.hexdigest()


def signature(root, path):
    """Equal for two states of a path that are the same to a container."""
    full = os.path.join(root, path)
    status = os.lstat(full)
    what = ''
    if stat.S_ISLNK(status.st_mode):
        what = os.readlink(full)
    elif stat.S_ISREG(status.st_mode):
        what = sha256(full)
    return [status.st_mode, status.st_uid, status.st_gid, what]


def pack(root, members, gone, out):
    """Writes `members`, then a whiteout for each of `gone`, with times at zero."""
    with tarfile.open(out, 'w', format=tarfile.GNU_FORMAT, encoding='utf-8', errors='surrogateescape') as archive:
        for path in members:
            info = archive.gettarinfo(os.path.join(root, path), path)
            if info is None or info.ischr() or info.isblk() or info.isfifo():
                continue
            info.mtime, info.uname, info.gname = 0, '', ''
            if info.isreg():
                with open(os.path.join(root, path), 'rb') as file:
                    archive.addfile(info, file)
            else:
                archive.addfile(info)
        for path in gone:
            folder, name = os.path.split(path)
            archive.addfile(tarfile.TarInfo(os.path.join(folder, '.wh.' + name)))


def diff(root, listing, out):
    before = {}
    if os.path.exists(listing):
        with open(listing, encoding='utf-8', errors='surrogateescape') as file:
            before = json.load(file)
    now = {path: signature(root, path) for path in paths(root)}
    changed = [path for path in now if before.get(path) != now[path]]
    gone = [p for p in before if p not in now and (os.path.dirname(p) in now or not os.path.dirname(p))]
    pack(root, changed, gone, out)
    with open(listing, 'w', encoding='utf-8', errors='surrogateescape') as file:
        json.dump(now, file)


def text(root, out):
    pack(root, [p for p in paths(root) if p.endswith(TEXT) and os.path.isfile(os.path.join(root, p))
                and not os.path.islink(os.path.join(root, p))], [], out)


if __name__ == '__main__':
    {'diff': diff, 'whole': lambda root, out: pack(root, paths(root), [], out), 'text': text}[sys.argv[1]](*sys.argv[2:])
