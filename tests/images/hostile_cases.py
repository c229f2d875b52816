"""Broken, lying and oversized images: one small function each, with what must come out of it.

Each makes an image of three layers, bottom to top, that hold the secrets A, B and C; the harm is done to the middle one
where nothing else is said. A case gives the bytes of an archive, or a generator of them (then it is only piped in), or
a function that fills a directory."""
import gzip
import hashlib
import io
import json
import os
import random
import struct
import subprocess
import zipfile
import zlib

from tokens import token

SECRETS = {name: token('hostile ' + name) for name in ('A', 'B', 'C', 'outside')}
CASES = []
OCI = 'application/vnd.oci.image.'
BLOCK = 512
END = bytes(2 * BLOCK)


class Case:
    """What must come out: `found` in any event; `gap`: found, or else the scan says that it is incomplete; `complete`:
    True, False, or None where either is right; `exits`: 1 when something must be found, else 3, unless given."""

    def __init__(self, make, found, gap, complete, exits):
        self.name = make.__name__.replace('_', ' ')
        self.make = make
        self.found, self.gap, self.complete = found, gap, complete
        self.exits = exits or ((1,) if found else (1, 3))


def case(found='', gap='', complete=False, exits=()):
    def add(make):
        CASES.append(Case(make, found, gap, complete, exits))
        return make
    return add


# Bytes ---------------------------------------------------------------------------------------------------------------

def text(name):
    return f'first line\nGITHUB_TOKEN={SECRETS[name]}\nlast line\n'.encode()


def octal(number, width):
    return f'{number:0{width - 1}o}\0'.encode()


def base256(number, width):
    return ((1 << (8 * width - 1)) | (number & ((1 << (8 * width - 1)) - 1))).to_bytes(width, 'big')


def header(name, size=0, kind=b'0', link='', size_field=None, prefix=b'', magic=b'ustar\x0000', extra=b''):
    """One tar header; `size_field` replaces the size as it is written."""
    raw = name if isinstance(name, bytes) else name.encode()
    block = bytearray(raw[:100].ljust(100, b'\0') + octal(0o644, 8) + octal(0, 8) * 2
                      + (size_field or octal(size, 12)) + octal(0, 12) + b' ' * 8 + kind
                      + link.encode()[:100].ljust(100, b'\0') + magic + bytes(80) + prefix.ljust(155, b'\0'))
    block = bytearray(bytes(block).ljust(BLOCK, b'\0')[:BLOCK])
    if extra:  # What old GNU sparse files keep where others have the prefix.
        block[345:345 + len(extra)] = extra
    block[148:156] = f'{sum(block):06o}\0 '.encode()
    return bytes(block)


def padded(data):
    return data + bytes(-len(data) % BLOCK)


def member(name, data, **fields):
    return header(name, len(data), **fields) + padded(data)


def pax(records, kind=b'x'):
    body = b''
    for key, value in records.items():
        value = value if isinstance(value, bytes) else str(value).encode()
        length = len(key) + len(value) + 3
        while len(str(length)) + len(key) + len(value) + 3 != length:
            length = len(str(length)) + len(key) + len(value) + 3
        body += str(length).encode() + b' ' + key.encode() + b'=' + value + b'\n'
    return member('PaxHeaders/x', body, kind=kind)


def layer(name):
    return member(f'app/{name}.env', text(name)) + END


def sha(data):
    return hashlib.sha256(data).hexdigest()


def as_json(value):
    return json.dumps(value).encode()


def archive(entries):
    return b''.join(member(name, data) for name, data in entries) + END


# Images --------------------------------------------------------------------------------------------------------------

def config_of(layers, **more):
    return {'os': 'linux', 'architecture': 'amd64', 'config': {}, **more,
            'rootfs': {'type': 'layers', 'diff_ids': ['sha256:' + sha(data) for data in layers]},
            'history': [{'created_by': f'COPY {number}'} for number in range(len(layers))]}


def docker_entries(layers=None, config=None, named=None):
    """A docker-archive's entries, the manifest last. `named` are the names that it gives to its layers."""
    layers = [layer(name) for name in 'ABC'] if layers is None else layers
    config = as_json(config or config_of(layers))
    names = [f'{sha(data)}/layer.tar' for data in layers]
    manifest = [{'Config': sha(config) + '.json', 'RepoTags': ['hostile:1'], 'Layers': named or names}]
    return [*zip(names, layers), (sha(config) + '.json', config), ('manifest.json', as_json(manifest))]


def docker(layers=None, **more):
    return archive(docker_entries(layers, **more))


class Oci:
    """An OCI layout in the making: its blobs by digest, its manifest, and its index."""

    def __init__(self, middle=None, tars=None, pack=lambda data: data):
        tars = tars or [layer('A'), middle if middle is not None else layer('B'), layer('C')]
        self.blobs = {}
        self.layers = [self.add(pack(data)) for data in tars]
        self.config = config_of(tars)
        self.more = {}
        self.index = None

    def add(self, data, kind='layer.v1.tar', digest=None, **more):
        data = data if isinstance(data, bytes) else as_json(data)
        digest = digest or 'sha256:' + sha(data)
        self.blobs[digest] = data
        return {'mediaType': OCI + kind, 'digest': digest, 'size': len(data), **more}

    def manifest(self):
        return self.add({'schemaVersion': 2, 'config': self.add(self.config, 'config.v1+json'), 'layers': self.layers,
                         **self.more}, 'manifest.v1+json')

    def entries(self):
        index = self.index or {'schemaVersion': 2, 'manifests': [self.manifest()]}
        blobs = [('blobs/' + digest.replace(':', '/'), data) for digest, data in self.blobs.items() if '..' not in digest]
        return [('oci-layout', b'{"imageLayoutVersion":"1.0.0"}'), *blobs, ('index.json', as_json(index))]

    def tar(self):
        return archive(self.entries())

    def write(self, folder):
        for name, data in self.entries():
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, 'wb') as file:
                file.write(data)

    def middle_path(self, folder):
        return os.path.join(folder, 'blobs', self.layers[1]['digest'].replace(':', '/'))


def gz(data):
    return gzip.compress(data, mtime=0)


def zst(data, *options):
    return subprocess.run(['zstd', '-c', *options], input=data, stdout=subprocess.PIPE, check=True).stdout


# Cut short -----------------------------------------------------------------------------------------------------------

def cut_before(name, inside=0):
    """A docker-archive that ends `inside` bytes into the data of entry `name`."""
    out = b''
    for entry, data in docker_entries():
        if entry.endswith(name) or sha(data) == name:
            return out + header(entry, len(data)) + data[:inside]
        out += member(entry, data)
    raise KeyError(name)


@case(exits=(2, 3))
def empty_file():
    return b''


@case(exits=(2, 3))
def first_hundred_bytes():
    return docker()[:100]


@case(exits=(3,))
def cut_after_the_first_header():
    return docker()[:BLOCK]


@case(found='A')
def cut_within_the_second_layer():
    return cut_before(sha(layer('B')), 300)


@case(found='A')
def cut_after_a_header():
    return cut_before(sha(layer('B')))


@case(found='AB')
def cut_within_a_header():
    return cut_before(sha(layer('C')))[:-200]


@case(found='ABC')
def cut_before_the_manifest():
    return cut_before('manifest.json')[:-BLOCK]


@case(found='ABC')
def cut_within_the_manifest():
    return cut_before('manifest.json', 20)


@case(found='ABC', complete=None)
def without_end_of_archive():
    return docker()[:-len(END)]


@case(found='ABC', complete=None)
def half_an_end_of_archive():
    return docker()[:-BLOCK]


@case(found='A')
def gzip_archive_cut():
    random.seed(1)
    ballast = member('ballast', random.randbytes(200_000))
    whole = gz(docker([layer('A'), ballast + layer('B'), layer('C')]))
    return whole[:len(whole) // 2]


@case(found='AC', gap='B')
def layer_cut_with_its_digest_right():
    return Oci(layer('B')[:700]).tar()


@case(found='AC', gap='B')
def member_larger_than_its_layer():
    return Oci(header('app/B.env', 5 << 30) + padded(text('B')) + END).tar()


# Compression ---------------------------------------------------------------------------------------------------------

def oci_packed(blob):
    """The middle layer packed as `blob`, its digest right."""
    image = Oci()
    del image.blobs[image.layers[1]['digest']]
    image.layers[1] = image.add(blob, 'layer.v1.tar+gzip')
    return image.tar()


@case(found='AC', gap='B')
def gzip_layer_cut():
    return oci_packed(gz(layer('B'))[:-40])


@case(found='AC', gap='B')
def gzip_layer_without_its_trailer():
    return oci_packed(gz(layer('B'))[:-8])


@case(found='AC', gap='B')
def gzip_layer_with_a_wrong_checksum():
    blob = gz(layer('B'))
    return oci_packed(blob[:-8] + bytes([blob[-8] ^ 1]) + blob[-7:])


@case(found='AC', gap='B')
def gzip_layer_with_a_wrong_length():
    blob = gz(layer('B'))
    return oci_packed(blob[:-1] + bytes([blob[-1] ^ 1]))


@case(found='AC', gap='B')
def gzip_layer_with_a_bad_block():
    blob = gz(layer('B'))
    return oci_packed(blob[:10] + b'\xff' * 20 + blob[30:])


@case(found='ABC', complete=None)
def gzip_layer_with_garbage_after_it():
    return oci_packed(gz(layer('B')) + b'garbage that is no member')


@case(found='ABC', complete=None)
def gzip_layer_with_zeros_after_it():
    return oci_packed(gz(layer('B')) + bytes(4096))


@case(found='ABC', complete=True)
def gzip_layer_of_many_members():
    data = layer('B')
    return oci_packed(b''.join(gz(data[i:i + 97]) for i in range(0, len(data), 97)))


@case(found='ABC', complete=True)
def gzip_layer_with_every_optional_field():
    raw = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = raw.compress(layer('B')) + raw.flush()
    head = b'\x1f\x8b\x08\x1e' + bytes(6) + struct.pack('<H', 5) + b'extra' + b'name\0' + b'comment\0'
    head += struct.pack('<H', zlib.crc32(head) & 0xffff)
    return oci_packed(head + body + struct.pack('<II', zlib.crc32(layer('B')), len(layer('B'))))


@case(found='AC', gap='B')
def zstd_layer_cut():
    return oci_packed(zst(layer('B'))[:-10])


@case(found='AC', gap='B')
def zstd_layer_with_a_wrong_checksum():
    blob = zst(layer('B'), '--check')
    return oci_packed(blob[:-1] + bytes([blob[-1] ^ 1]))


@case(found='ABC', complete=True)
def zstd_layer_of_many_frames_and_a_skippable_one():
    data = layer('B')
    return oci_packed(zst(data[:600]) + b'\x50\x2a\x4d\x18' + struct.pack('<I', 5) + b'skip!' + zst(data[600:]))


@case(found='AC', gap='B')
def zstd_layer_that_asks_for_2_GiB_of_window():
    # Frame header: no single segment, window log 31, then one raw last block.
    data = layer('B')
    return oci_packed(b'\x28\xb5\x2f\xfd' + bytes([0x00, (31 - 10) << 3]) + struct.pack('<I', len(data) << 3 | 1)[:3] + data)


# Lies about blobs ----------------------------------------------------------------------------------------------------

@case(found='AC')
def blob_with_one_byte_flipped():
    image = Oci()
    digest = image.layers[1]['digest']
    data = bytearray(image.blobs[digest])
    data[BLOCK + 2] ^= 1
    image.blobs[digest] = bytes(data)
    return image.tar()


@case(found='AC')
def directory_with_a_flipped_blob():
    def fill(folder):
        image = Oci()
        image.write(folder)
        with open(image.middle_path(folder), 'r+b') as file:
            file.write(b'x')
    return fill


@case(found='AC')
def blobs_swapped():
    image = Oci()
    image.blobs[image.layers[1]['digest']] = layer('A')
    return image.tar()


@case(found='AC')
def layer_missing_from_an_oci_archive():
    image = Oci()
    del image.blobs[image.layers[1]['digest']]
    return image.tar()


@case(found='AC')
def layer_missing_from_a_docker_archive():
    return archive([entry for entry in docker_entries() if entry[1] != layer('B')])


@case(found='AC')
def layer_missing_from_a_directory():
    def fill(folder):
        image = Oci()
        image.write(folder)
        os.remove(image.middle_path(folder))
    return fill


@case(found='AC', gap='B')
def size_too_small():
    image = Oci()
    image.layers[1]['size'] -= 512
    return image.tar()


@case(found='AC', gap='B')
def size_too_large():
    image = Oci()
    image.layers[1]['size'] = 1 << 50
    return image.tar()


@case(found='AC', gap='B')
def negative_size():
    image = Oci()
    image.layers[1]['size'] = -1
    return image.tar()


@case(found='AC', gap='B')
def diff_id_of_a_docker_archive_wrong():
    config = config_of([layer(name) for name in 'ABC'])
    config['rootfs']['diff_ids'][1] = 'sha256:' + '0' * 64
    return docker(config=config)


@case(found='ABC', complete=None)
def diff_id_of_a_gzip_layer_wrong():
    image = Oci(pack=gz)
    image.config['rootfs']['diff_ids'][1] = 'sha256:' + '0' * 64
    return image.tar()


@case(found='ABC', complete=None)
def fewer_diff_ids_than_layers():
    config = config_of([layer(name) for name in 'ABC'])
    del config['rootfs']['diff_ids'][2]
    return docker(config=config)


@case(found='ABC')
def config_missing():
    return archive([entry for entry in docker_entries() if '.json' not in entry[0] or entry[0] == 'manifest.json'])


@case(found='ABC')
def config_flipped():
    image = Oci()
    entries = image.entries()
    return archive([(name, data.replace(b'linux', b'lunix')) if b'rootfs' in data else (name, data) for name, data in entries])


@case(found='AC', gap='B')
def two_entries_of_one_blob_the_second_different():
    image = Oci()
    return archive(image.entries() + [('blobs/' + image.layers[1]['digest'].replace(':', '/'), layer('A'))])


@case(found='ABC', complete=True)
def same_layer_twice():
    return docker([layer('A'), layer('B'), layer('B'), layer('C')])


@case(found='AC')
def foreign_layer_that_is_elsewhere():
    image = Oci()
    del image.blobs[image.layers[1]['digest']]
    image.layers[1].update(mediaType=OCI + 'layer.nondistributable.v1.tar', urls=['http://192.0.2.1/layer'])
    return image.tar()


@case(found='AC', gap='B')
def sha512_digest():
    image = Oci()
    image.layers[1] = image.add(image.blobs.pop(image.layers[1]['digest']),
                                digest='sha512:' + hashlib.sha512(layer('B')).hexdigest())
    return image.tar()


@case(found='AC', gap='B')
def digest_in_capitals():
    image = Oci()
    image.layers[1]['digest'] = image.layers[1]['digest'].upper().replace('SHA', 'sha')
    return image.tar()


# Paths out of the target ---------------------------------------------------------------------------------------------

@case(found='AC', gap='B')
def digest_that_leads_out_of_the_directory():
    def fill(folder):
        outside(folder)
        image = Oci()
        image.layers[1]['digest'] = 'sha256:../../../outside.tar'
        image.write(folder)
    return fill


def outside(folder):
    with open(os.path.join(os.path.dirname(folder), 'outside.tar'), 'wb') as file:
        file.write(layer('outside'))


@case(found='ABC')
def docker_layer_name_that_leads_out():
    names = [f'{sha(layer(name))}/layer.tar' for name in 'ABC']
    return docker(named=[names[0], '../../../../etc/passwd', '/etc/passwd', names[2]])


@case(found='AC')
def layer_that_is_a_link_out_of_the_archive():
    entries = docker_entries()
    (name, _) = entries[1]
    return b''.join(member(n, d) for n, d in entries if n != name) + header(name, kind=b'2', link='/etc/passwd') + END


@case(found='AC')
def layer_that_is_a_link_to_itself():
    entries = docker_entries()
    (name, _) = entries[1]
    return b''.join(member(n, d) for n, d in entries if n != name) + header(name, kind=b'2', link='layer.tar') + END


@case(found='AC')
def blob_that_is_a_fifo():
    def fill(folder):
        image = Oci()
        image.write(folder)
        os.remove(image.middle_path(folder))
        os.mkfifo(image.middle_path(folder))
    return fill


@case(found='AC')
def blob_that_is_an_endless_device():
    def fill(folder):
        image = Oci()
        image.write(folder)
        os.remove(image.middle_path(folder))
        os.symlink('/dev/zero', image.middle_path(folder))
    return fill


@case(found='AC')
def blob_that_is_a_directory():
    def fill(folder):
        image = Oci()
        image.write(folder)
        os.remove(image.middle_path(folder))
        os.mkdir(image.middle_path(folder))
    return fill


@case(found='ABC', complete=None)
def layer_names_that_lead_out():
    return Oci(member('../../etc/B.env', text('B')) + member('/etc/passwd', b'x') + member('a/../../x', b'x')
               + header('h', kind=b'1', link='../../../etc/passwd') + END).tar()


@case(found='ABC', complete=None)
def file_written_through_a_symlink():
    return Oci(header('etc', kind=b'2', link='/etc') + member('etc/B.env', text('B')) + END).tar()


# Manifests and indexes -----------------------------------------------------------------------------------------------

@case(gap='ABC')
def index_that_points_nowhere():
    image = Oci()
    image.index = {'schemaVersion': 2, 'manifests': [{'mediaType': OCI + 'manifest.v1+json', 'size': 2,
                                                      'digest': 'sha256:' + '0' * 64}]}
    return image.tar()


@case(gap='ABC')
def index_within_itself():
    image = Oci()
    own = 'sha256:' + '1' * 64
    image.manifest()
    pointer = {'mediaType': OCI + 'index.v1+json', 'digest': own, 'size': 300}
    image.index = {'schemaVersion': 2, 'manifests': [pointer]}
    image.add({'schemaVersion': 2, 'manifests': [pointer]}, 'index.v1+json', own)
    return image.tar()


@case(gap='ABC', complete=None)
def index_fifty_deep():
    image = Oci()
    pointer = image.manifest()
    for _ in range(50):
        pointer = image.add({'schemaVersion': 2, 'manifests': [pointer]}, 'index.v1+json')
    image.index = {'schemaVersion': 2, 'manifests': [pointer]}
    return image.tar()


@case(gap='ABC', complete=None)
def index_of_twenty_thousand_manifests():
    image = Oci()
    own = image.manifest()
    nowhere = [{'mediaType': OCI + 'manifest.v1+json', 'size': 2, 'digest': f'sha256:{n:064x}'} for n in range(20_000)]
    image.index = {'schemaVersion': 2, 'manifests': [own, *nowhere]}
    return image.tar()


@case(gap='ABC')
def manifest_that_is_also_an_index():
    image = Oci()
    image.more = {'manifests': []}
    return image.tar()


@case(gap='ABC', exits=(1, 2, 3))
def layout_without_an_index():
    return archive(Oci().entries()[:-1])


@case(gap='ABC', exits=(1, 2, 3))
def empty_index():
    image = Oci()
    image.index = {'schemaVersion': 2, 'manifests': []}
    return image.tar()


@case(found='ABC', complete=None)
def manifest_json_of_five_mebibytes():
    entries = docker_entries()
    manifest = json.loads(entries[-1][1])
    manifest[0]['RepoTags'] = [f'hostile:{n:0100}' for n in range(50_000)]
    return archive(entries[:-1] + [('manifest.json', as_json(manifest))])


@case(found='ABC')
def manifest_json_nested_a_hundred_thousand_deep():
    return archive(docker_entries()[:-1] + [('manifest.json', b'[' * 100_000 + b']' * 100_000)])


@case(found='ABC')
def manifest_json_that_is_no_json():
    return archive(docker_entries()[:-1] + [('manifest.json', b'[{"Config": "x", \xff\xfe')])


@case(found='ABC')
def manifest_json_of_the_wrong_types():
    return archive(docker_entries()[:-1] + [('manifest.json', as_json([{'Config': 7, 'RepoTags': 'x', 'Layers': {'a': 1}}, None]))])


@case(found='ABC', complete=None)
def manifest_json_with_a_key_twice():
    entries = docker_entries()
    return archive(entries[:-1] + [('manifest.json', entries[-1][1].replace(b'"RepoTags"', b'"Layers": [], "RepoTags"'))])


@case(gap='ABC', exits=(1, 2, 3))
def manifest_json_missing():
    return archive(docker_entries()[:-1])


@case(found='ABC', complete=None)
def two_manifests_in_one_archive():
    entries = docker_entries()
    return archive([('manifest.json', b'[]'), *entries])


@case(found='ABC', complete=None)
def config_of_the_wrong_types():
    config = config_of([layer(name) for name in 'ABC'])
    config.update(config={'Env': {'A': 1}, 'Labels': ['x'], 'Cmd': 'sh', 'Healthcheck': []}, history={'a': None}, os=5)
    return docker(config=config)


@case(found='ABC', complete=None)
def config_with_a_hundred_thousand_history_entries():
    config = config_of([layer(name) for name in 'ABC'])
    config['history'] = [{'created_by': f'RUN {n}', 'empty_layer': True} for n in range(100_000)]
    return docker(config=config)


@case(exits=(1, 2, 3))
def schema_1_manifest():
    def fill(folder):
        manifest = {'schemaVersion': 1, 'name': 'hostile', 'tag': '1', 'architecture': 'amd64',
                    'fsLayers': [{'blobSum': 'sha256:' + sha(gz(layer('A')))}], 'history': [{'v1Compatibility': '{}'}]}
        for name, data in (('manifest.json', as_json(manifest)), ('version', b'Directory Transport Version: 1.1\n'),
                           (sha(gz(layer('A'))), gz(layer('A')))):
            with open(os.path.join(folder, name), 'wb') as file:
                file.write(data)
    return fill


# Layers that are odd tars --------------------------------------------------------------------------------------------

@case(found='AC', gap='B', complete=None)
def layer_that_is_no_tar():
    return Oci(text('B')).tar()


@case(found='AC', complete=None)
def layer_of_no_bytes():
    return Oci(b'').tar()


@case(found='AC', complete=True)
def layer_of_an_end_of_archive_alone():
    return Oci(END).tar()


def broken_member():
    broken = bytearray(member('app/x', b'x'))
    broken[0] ^= 1
    return bytes(broken)


@case(found='AC', gap='B', complete=None)
def first_header_with_a_wrong_checksum():
    return Oci(broken_member() + layer('B')).tar()


@case(found='AC', gap='B')
def later_header_with_a_wrong_checksum():
    return Oci(member('app/first', b'x') + broken_member() + layer('B')).tar()


@case(found='ABC', complete=None)
def data_after_the_end_of_archive():
    return Oci(layer('B') + member('app/late', b'x') + b'rubbish').tar()


@case(gap='B', found='AC', complete=None)
def secret_after_the_end_of_archive():
    return Oci(member('app/x', b'x') + END + layer('B')).tar()


@case(found='AC', gap='B')
def negative_member_size():
    return Oci(header('app/x', size_field=base256(-1, 12)) + layer('B')).tar()


@case(found='AC', gap='B')
def member_of_2_to_the_62_bytes():
    return Oci(header('app/x', size_field=base256(1 << 62, 12)) + layer('B')).tar()


@case(found='AC', gap='B')
def size_that_is_no_number():
    return Oci(header('app/x', size_field=b'7zz\x01 9999999') + layer('B')).tar()


@case(found='ABC', complete=True)
def size_in_base_256():
    return Oci(header('app/B.env', size_field=base256(len(text('B')), 12)) + padded(text('B')) + END).tar()


@case(found='ABC', complete=True)
def size_in_pax_alone():
    return Oci(pax({'size': len(text('B'))}) + header('app/B.env', 0) + padded(text('B')) + END).tar()


@case(found='ABC', complete=None)
def size_in_pax_hides_a_member():
    return Oci(pax({'size': 0}) + header('app/x', 2048) + layer('B')).tar()


@case(found='AC', gap='B', complete=None)
def pax_header_of_ten_gigabytes_at_the_start():
    return Oci(header('x', 10 << 30, kind=b'x') + layer('B')).tar()


@case(found='AC', gap='B')
def pax_header_of_ten_gigabytes_later():
    return Oci(member('app/first', b'x') + header('x', 10 << 30, kind=b'x') + layer('B')).tar()


@case(found='AC', gap='B')
def pax_records_that_lie_about_their_length():
    return Oci(member('x', b'999999 path=a\n12 p\n', kind=b'x') + layer('B')).tar()


@case(found='ABC', complete=None)
def pax_size_that_is_no_number():
    return Oci(pax({'size': '-5'}) + member('app/B.env', text('B')) + END).tar()


@case(found='ABC', complete=True)
def pax_global_header():
    return Oci(pax({'comment': 'x' * 5000}, kind=b'g') + layer('B')).tar()


@case(found='ABC', complete=None)
def path_of_64_KiB_by_pax():
    return Oci(pax({'path': 'd/' * 32_760 + 'B.env'}) + member('x', text('B')) + END).tar()


@case(found='ABC', complete=None)
def path_of_64_KiB_by_gnu():
    return Oci(member('././@LongLink', b'e' * 65_536 + b'\0', kind=b'L') + member('x', text('B')) + END).tar()


@case(found='AC', gap='B')
def path_of_16_MiB():
    return Oci(member('././@LongLink', b'e' * (16 << 20) + b'\0', kind=b'L') + member('x', text('B')) + END).tar()


@case(found='AC', gap='B', complete=None)
def long_names_without_a_member():
    return Oci(member('././@LongLink', b'e' * 200, kind=b'L') * 1000 + layer('B')).tar()


@case(found='ABC', complete=True)
def name_with_a_newline():
    return Oci(member('app/a\nb\r.env', text('B')) + END).tar()


@case(found='ABC', complete=True)
def name_with_escape_sequences():
    return Oci(member(b'app/\x1b[2J\x1b]0;owned\x07\x9b31m.env', text('B')) + END).tar()


@case(found='ABC', complete=True)
def name_that_is_no_utf_8():
    return Oci(member(b'app/\xff\xfe\xc3.env', text('B')) + END).tar()


@case(found='ABC', complete=True)
def name_that_reorders_text():
    return Oci(member('app/\u202egpj.exe\u2066', text('B')) + END).tar()


@case(found='ABC', complete=None)
def names_that_are_nothing():
    return Oci(member('', b'x') + member('/', b'x') + member('.', b'x') + member('.wh.', b'') + member('a//', b'x') + layer('B')).tar()


@case(found='ABC', complete=None)
def members_of_unknown_types():
    return Oci(b''.join(header(f'x{n}', kind=bytes([n])) for n in b'34567DMNVZ\xff') + layer('B')).tar()


@case(found='ABC', complete=True)
def file_twice_in_one_layer():
    return Oci(member('app/B.env', text('B')) + member('app/B.env', b'nothing\n') + END).tar()


@case(found='ABC', complete=None)
def hard_link_to_itself_and_to_nothing():
    return Oci(header('a', kind=b'1', link='a') + header('b', kind=b'1', link='missing') + layer('B')).tar()


# Holes ---------------------------------------------------------------------------------------------------------------

TERABYTE = 1 << 40


@case(found='AC', gap='B', complete=None)
def sparse_terabyte_in_old_gnu_format():
    data = text('B')
    sparse = bytes(41) + base256(TERABYTE, 12) + base256(len(data), 12) + bytes(24 * 3) + b'\0' + base256(TERABYTE + len(data), 12)
    return Oci(header('app/sparse', len(data), kind=b'S', magic=b'ustar  \0', extra=sparse) + padded(data) + END).tar()


@case(found='AC', gap='B', complete=None)
def sparse_terabyte_in_pax_1_0():
    data = text('B')
    sparse_map = f'1\n{TERABYTE}\n{len(data)}\n'.encode()
    body = padded(sparse_map) + data
    return Oci(pax({'GNU.sparse.major': 1, 'GNU.sparse.minor': 0, 'GNU.sparse.name': 'app/sparse',
                    'GNU.sparse.realsize': TERABYTE + len(data)}) + member('GNUSparseFile.0/sparse', body) + END).tar()


@case(found='AC', gap='B', complete=None)
def sparse_terabyte_in_pax_0_1():
    data = text('B')
    return Oci(pax({'GNU.sparse.size': TERABYTE + len(data), 'GNU.sparse.numblocks': 1, 'GNU.sparse.name': 'app/sparse',
                    'GNU.sparse.map': f'{TERABYTE},{len(data)}'}) + member('app/sparse', data) + END).tar()


@case(found='AC', gap='B')
def sparse_map_that_overlaps_and_runs_backwards():
    data = text('B')
    sparse_map = f'3\n100\n{len(data)}\n50\n{len(data)}\n0\n99999999999\n'.encode()
    return Oci(pax({'GNU.sparse.major': 1, 'GNU.sparse.minor': 0, 'GNU.sparse.name': 's', 'GNU.sparse.realsize': 1000})
               + member('s', padded(sparse_map) + data) + END).tar()


@case(found='AC', gap='B')
def sparse_map_of_a_billion_holes():
    return Oci(pax({'GNU.sparse.major': 1, 'GNU.sparse.minor': 0, 'GNU.sparse.name': 's', 'GNU.sparse.realsize': 1000})
               + member('s', b'1000000000\n' + b'0\n0\n' * 2_000_000) + layer('B')).tar()


# Bombs ---------------------------------------------------------------------------------------------------------------

def gzip_of_zeros(before, zeros, after):
    """A gzip member of `before`, `zeros` zero bytes (a multiple of 16 MiB), and `after`, made in little time."""
    piece = bytes(16 << 20)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    head = packer.compress(before) + packer.flush(zlib.Z_FULL_FLUSH)
    middle = packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH)
    tail = packer.compress(after) + packer.flush()
    crc, digest = zlib.crc32(before), hashlib.sha256(before)
    for _ in range(zeros // len(piece)):
        crc = zlib.crc32(piece, crc)
        digest.update(piece)
    digest.update(after)
    length = len(before) + zeros + len(after)
    blob = b'\x1f\x8b\x08' + bytes(6) + b'\xff' + head + middle * (zeros // len(piece)) + tail
    return blob + struct.pack('<II', zlib.crc32(after, crc), length & 0xffffffff), digest.hexdigest()


@case(found='AC', gap='B', complete=None)
def gzip_layer_of_ten_gigabytes_of_zeros():
    zeros = 640 * (16 << 20)
    blob, diff_id = gzip_of_zeros(header('app/zeros', size_field=base256(zeros, 12)), zeros, layer('B'))
    image = Oci()
    del image.blobs[image.layers[1]['digest']]
    image.layers[1] = image.add(blob, 'layer.v1.tar+gzip')
    image.config['rootfs']['diff_ids'][1] = 'sha256:' + diff_id
    return image.tar()


@case(found='AC', gap='B', complete=None)
def gzip_file_of_four_gigabytes_within_a_layer():
    blob, _ = gzip_of_zeros(b'x', 256 * (16 << 20), text('B'))
    return Oci(member('app/zeros.gz', blob) + END).tar()


@case(found='AC', gap='B', complete=None)
def zstd_layer_of_four_gigabytes_of_zeros():
    # Blocks of one repeated byte: 4 bytes make 128 KiB.
    zeros = 4 << 30
    block = struct.pack('<I', (128 << 10) << 3 | 1 << 1)[:3] + b'\0'
    frame = b'\x28\xb5\x2f\xfd' + bytes([0x00, (20 - 10) << 3])
    start, end = header('app/zeros', zeros), layer('B')
    blob = frame + struct.pack('<I', len(start) << 3)[:3] + start + block * (zeros // (128 << 10)) \
        + struct.pack('<I', len(end) << 3 | 1)[:3] + end
    return oci_packed(blob)


@case(found='ABC', complete=None)
def zip_member_of_two_gigabytes_of_zeros():
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as bomb, bomb.open('zeros', 'w', force_zip64=True) as file:
        for _ in range(128):
            file.write(bytes(16 << 20))
    return Oci(member('app/bomb.zip', out.getvalue()) + layer('B')).tar()


@case(found='ABC', complete=None)
def zip_with_lying_sizes_and_names_that_lead_out():
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as lie:
        lie.writestr('../../etc/x', b'x' * 1000)
    data = bytearray(out.getvalue())
    at = data.rfind(b'PK\x01\x02')
    data[at + 20:at + 28] = b'\xff' * 7 + b'\x7f'
    return Oci(member('app/lie.zip', bytes(data)) + layer('B')).tar()


@case(found='AC', gap='B')
def gzip_a_hundred_deep():
    data = text('B')
    for _ in range(100):
        data = gz(data)
    return Oci(member('app/deep.gz', data) + END).tar()


@case(found='AC', gap='B')
def tar_fifty_deep():
    data = text('B')
    for _ in range(50):
        data = member('inner.tar', data) + END
    return Oci(member('app/deep.tar', data) + END).tar()


def streamed(size, pieces):
    """A docker-archive whose middle layer is `size` bytes that come in pieces; nothing is kept."""
    first, last = layer('A'), layer('C')
    digest = hashlib.sha256()
    for name, data in (('1/layer.tar', first), ('3/layer.tar', last)):
        yield member(name, data)
    yield header('2/layer.tar', size_field=base256(size, 12))
    for piece in pieces:
        digest.update(piece)
        yield piece
    config = config_of([first, b'', last])
    config['rootfs']['diff_ids'][1] = 'sha256:' + digest.hexdigest()
    manifest = [{'Config': 'config.json', 'RepoTags': None, 'Layers': ['1/layer.tar', '2/layer.tar', '3/layer.tar']}]
    yield member('config.json', as_json(config)) + member('manifest.json', as_json(manifest)) + END


def empty_members(count):
    """`count` headers of distinct names; of each only the digits and the checksum are made anew."""
    base = header('files/0000000')
    plain = sum(base[:148]) + sum(base[156:]) + 8 * 32
    front, back = base[:6], base[13:148]
    rest = base[156:]
    for start in range(0, count, 1000):
        out = []
        for number in range(start, min(start + 1000, count)):
            digits = b'%07d' % number
            out += (front, digits, back, b'%06o\0 ' % (plain + sum(digits) - 7 * 48), rest)
        yield b''.join(out)


@case(found='AC', gap='B', complete=None)
def three_million_empty_members():
    def pieces():
        yield from empty_members(3_000_000)
        yield layer('B')
    return streamed(3_000_000 * BLOCK + len(layer('B')), pieces())


@case(found='ABC', complete=None)
def two_million_near_misses():
    # The prefix is right, the checksum is not.
    wrong = ('token=ghp_' + 'A' * 36 + '\n').encode() * 2000
    count = 1000

    def pieces():
        yield header('app/wrong', len(wrong) * count)
        for _ in range(count):
            yield wrong
        yield bytes(-len(wrong) * count % BLOCK) + layer('B')
    size = BLOCK + len(wrong) * count + (-len(wrong) * count % BLOCK) + len(layer('B'))
    return streamed(size, pieces())


@case(found='AC', gap='B', complete=None)
def two_hundred_thousand_secrets():
    distinct = b''.join(f'k={token(f"many {n}")}\n'.encode() for n in range(2000)) * 100

    def pieces():
        yield header('app/many', len(distinct))
        yield padded(distinct) + layer('B')
    return streamed(BLOCK + len(padded(distinct)) + len(layer('B')), pieces())


# No image at all -----------------------------------------------------------------------------------------------------

@case(exits=(2, 3))
def directory_with_nothing():
    return lambda folder: None


@case(exits=(2, 3))
def directory_of_other_things():
    def fill(folder):
        with open(os.path.join(folder, 'readme'), 'wb') as file:
            file.write(b'hello\n')
    return fill


@case(exits=(2, 3))
def random_bytes():
    return random.Random(7).randbytes(1 << 20)


@case(exits=(2, 3))
def zeros():
    return bytes(1 << 20)


@case(exits=(2, 3))
def plain_text():
    return b'hello\n' * 1000


@case(exits=(2, 3))
def gzip_of_text():
    return gz(b'hello\n' * 1000)


@case(exits=(2, 3))
def tar_of_other_things():
    return archive([('readme', b'hello\n')])
