"""Reads saved images the slow and plain way, to know the truth that the scanner is held against: every place of every
token, its layer, and what later layers did to it. Shares no code with the scanner."""
import gzip
import hashlib
import io
import json
import os
import posixpath
import re
import subprocess
import tarfile
import zipfile

from tokens import PATTERN

CONFIG_KINDS = {'Env': 'env', 'Labels': 'label', 'Cmd': 'cmd', 'Entrypoint': 'entrypoint', 'Healthcheck': 'healthcheck',
                'OnBuild': 'onbuild'}


class Archive:
    """A tar archive's members by name, symbolic links followed; or a directory's files."""

    def __init__(self, path):
        self.path = path
        self.directory = os.path.isdir(path)
        if not self.directory:
            with open(path, 'rb') as file:
                packed = file.read(2) == b'\x1f\x8b'
            self.tar = tarfile.open(path, 'r:gz' if packed else 'r:')
            self.members = {posixpath.normpath(m.name): m for m in self.tar.getmembers()}

    def names(self):
        if self.directory:
            return [os.path.relpath(os.path.join(d, f), self.path) for d, _, files in os.walk(self.path) for f in files]
        return [name for name, m in self.members.items() if not m.isdir()]

    def has(self, name):
        return os.path.exists(os.path.join(self.path, name)) if self.directory else posixpath.normpath(name) in self.members

    def read(self, name):
        if self.directory:
            with open(os.path.join(self.path, name), 'rb') as file:
                return file.read()
        name = posixpath.normpath(name)
        member = self.members[name]
        if member.issym():
            return self.read(posixpath.join(posixpath.dirname(name), member.linkname))
        return self.tar.extractfile(member).read()


def unpacked(blob):
    """A layer's tar, whatever it is compressed with."""
    if blob[:2] == b'\x1f\x8b':
        return gzip.decompress(blob)
    if blob[:4] == b'\x28\xb5\x2f\xfd':
        return subprocess.run(['zstd', '-dc'], input=blob, stdout=subprocess.PIPE, check=True).stdout
    return blob


def sha256(data):
    return 'sha256:' + hashlib.sha256(data).hexdigest()


def blob_name(archive, digest):
    algorithm, value = digest.split(':')
    for name in (f'blobs/{algorithm}/{value}', value, value + '.tar'):
        if archive.has(name):
            return name
    raise KeyError(digest)


class Image:
    """One image for one platform, as raw as it stands: config and manifest as parsed JSON, layers as bytes."""

    def __init__(self, name, config, layers, manifest=None, annotations=()):
        self.name = name
        self.config = config
        self.blobs = layers
        self.manifest = manifest or {}
        self.annotations = dict(annotations)
        self.statements = []
        parts = (config.get('os'), config.get('architecture'), config.get('variant'))
        self.platform = '/'.join(part for part in parts if part)


def docker_images(archive):
    for entry in json.loads(archive.read('manifest.json')):
        yield Image((entry.get('RepoTags') or [''])[0], json.loads(archive.read(entry['Config'])),
                    [archive.read(name) for name in entry['Layers']])


def manifest_image(archive, manifest, annotations, name=''):
    config = json.loads(archive.read(blob_name(archive, manifest['config']['digest'])))
    layers = [archive.read(blob_name(archive, layer['digest'])) for layer in manifest['layers']]
    return Image(name, config, layers, manifest, annotations)


def oci_images(archive, index, annotations=()):
    """The images below an index; a statement goes to the image that it is attached to."""
    annotations = {**dict(annotations), **index.get('annotations', {})}
    images, attached = {}, []
    for descriptor in index['manifests']:
        document = json.loads(archive.read(blob_name(archive, descriptor['digest'])))
        own = descriptor.get('annotations', {})
        if 'manifests' in document:
            for image in oci_images(archive, document, {**annotations, **own}):
                images[descriptor['digest'] + image.platform] = image
        elif own.get('vnd.docker.reference.type') == 'attestation-manifest':
            attached.append((own['vnd.docker.reference.digest'], document))
        else:
            images[descriptor['digest']] = manifest_image(
                archive, document, {**annotations, **own, **document.get('annotations', {})},
                own.get('org.opencontainers.image.ref.name', ''))
    for digest, document in attached:
        for layer in document['layers']:
            images[digest].statements.append(json.loads(archive.read(blob_name(archive, layer['digest']))))
    return list(images.values())


def read_images(path):
    """Every image of an archive or directory. An archive that is both kinds is read as an OCI layout."""
    archive = Archive(path)
    if archive.has('index.json'):
        return oci_images(archive, json.loads(archive.read('index.json')))
    document = json.loads(archive.read('manifest.json'))
    if isinstance(document, list):
        return list(docker_images(archive))
    return [manifest_image(archive, document, document.get('annotations', {}))]


def position(data, offset):
    """Line and byte column from 1."""
    return data.count(b'\n', 0, offset) + 1, offset - (data.rfind(b'\n', 0, offset) + 1) + 1


def tokens_in(data):
    """Every token in a file, in archives within it too. A tar's own bytes hold its members; only the members count."""
    if not looks_like_tar(data):
        for match in PATTERN.finditer(data):
            line, column = position(data, match.start())
            yield {'value': match[0].decode(), 'inner': [], 'offset': match.start(), 'line': line, 'column': column}
    for name, content in members_of(data):
        for found in tokens_in(content):
            yield {**found, 'inner': ([name] if name else []) + found['inner']}


def members_of(data):
    if data[:2] == b'\x1f\x8b':
        yield '', gzip.decompress(data)
    elif data[:4] == b'PK\x03\x04':
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield from ((info.filename, archive.read(info)) for info in archive.infolist())
    elif looks_like_tar(data):
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            yield from ((m.name, archive.extractfile(m).read()) for m in archive if m.isreg())


def looks_like_tar(data):
    return data[257:262] == b'ustar'


class LayerTree:
    """What one layer's tar holds: tokens by place, and the paths that it makes, removes and hides."""

    def __init__(self, digest, blob):
        self.digest = digest
        data = unpacked(blob)
        self.diff_id = sha256(data)
        self.places = []
        self.made, self.whiteouts, self.opaque = {}, set(), set()
        contents = {}
        with tarfile.open(fileobj=io.BytesIO(data + bytes(-len(data) % 512 + 1024))) as archive:
            for member in archive:
                self._take(archive, member, contents)

    def _take(self, archive, member, contents):
        path = posixpath.normpath(member.name).lstrip('/')
        folder, name = posixpath.split(path)
        if name == '.wh..wh..opq':
            self.opaque.add(folder)
        elif name.startswith('.wh.') and not name.startswith('.wh..wh.') and len(name) > 4:
            self.whiteouts.add(posixpath.join(folder, name[4:]))
        else:
            self.made[path] = 'directory' if member.isdir() else 'other'
        for match in PATTERN.finditer(path.encode()):
            self._add('file_name', path, value=match[0].decode())
        if member.issym():
            for match in PATTERN.finditer(member.linkname.encode()):
                self._add('symlink_target', path, value=match[0].decode())
        if member.isreg():
            content = archive.extractfile(member).read()
            contents[path] = list(tokens_in(content))
            for found in contents[path]:
                self._add('file', path, **found)
        if member.islnk():
            for found in contents.get(posixpath.normpath(member.linkname).lstrip('/'), []):
                self._add('file', path, hard_link=True, **found)

    def _add(self, kind, path, **what):
        self.places.append({'kind': kind, 'path': path, **what})

    def does_to(self, path):
        """What this layer does to a path of a lower one: '', 'deleted' or 'overwritten'."""
        if path in self.made:
            return 'overwritten'
        if path in self.whiteouts or '' in self.opaque:
            return 'deleted'
        above = posixpath.dirname(path)
        while above:
            if above in self.whiteouts or above in self.opaque or self.made.get(above) == 'other':
                return 'deleted'
            above = posixpath.dirname(above)
        return ''


trees = {}


def tree_of(blob):
    """The layer that a blob holds; tools share most of them, so each is read once."""
    digest = sha256(blob)
    if digest not in trees:
        trees[digest] = LayerTree(digest, blob)
    return trees[digest]


def layer_places(image):
    """Every token in the layers, with layer number from 1, state and the layer that changed it."""
    layers = [tree_of(blob) for blob in image.blobs]
    steps = [h.get('created_by', '') for h in image.config.get('history', []) if not h.get('empty_layer')]
    fits = len(steps) == len(layers)
    for number, tree in enumerate(layers, 1):
        where = {'index': number, 'digest': tree.digest, 'diff_id': tree.diff_id,
                 'created_by': steps[number - 1] if fits else ''}
        for place in tree.places:
            changed = [(n, t.does_to(place['path'])) for n, t in enumerate(layers[number:], number + 1)]
            by, state = next(((n, s) for n, s in changed if s), (0, 'present'))
            yield {**place, 'layer': where, 'state': state, 'changed_in': by}


def strings(value, key=''):
    """Every string of a JSON document, with its nearest key."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield key, name
            yield from strings(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner, key)
    elif isinstance(value, str):
        yield key, value


def config_places(image):
    """Every token in configuration, history, annotations and statements. `field` is the variable, label, annotation or
    build argument, where there is one."""
    def all_in(kind, text, field='', **more):
        for match in PATTERN.finditer(text.encode()):
            yield {'kind': kind, 'value': match[0].decode(), 'field': field, **more}

    config = image.config.get('config') or {}
    for variable in config.get('Env') or []:
        yield from all_in('env', variable, variable.partition('=')[0])
    for name, text in (config.get('Labels') or {}).items():
        yield from all_in('label', text, name)
    for member in ('Cmd', 'Entrypoint', 'Healthcheck', 'OnBuild'):
        for _, text in strings(config.get(member) or []):
            yield from all_in(CONFIG_KINDS[member], text)
    for number, entry in enumerate(image.config.get('history') or []):
        text = entry.get('created_by', '')
        for place in all_in('history', text, history_index=number):
            argument = re.match(r'^\|\d+ .*?(\w+)=' + place['value'], text)
            yield {**place, 'field': argument[1] if argument else ''}
    for name, text in image.annotations.items():
        yield from all_in('annotation', text, name)
    for layer in image.manifest.get('layers', []):
        for name, text in (layer.get('annotations') or {}).items():
            yield from all_in('annotation', text, name)
    for statement in image.statements:
        for key, text in strings(statement):
            yield from all_in('attestation', text, key.removeprefix('build-arg:'))


def places(path, platform=None):
    """Every place of every token in the images of `path`: of one platform, or of all."""
    found = []
    for image in read_images(path):
        if platform is None or image.platform == platform:
            found += list(config_places(image)) + list(layer_places(image))
    unique = {json.dumps(place, sort_keys=True): place for place in found}
    return list(unique.values())


def everywhere(path):
    """Every token that stands in any JSON document of `path`: where else a configuration's secret may be reported."""
    archive = Archive(path)
    found = set()
    for name in archive.names():
        data = archive.read(name) if archive.directory or not archive.members[posixpath.normpath(name)].issym() else b''
        if data[:1] in (b'{', b'['):
            found |= {match.decode() for match in PATTERN.findall(data)}
    return sorted(found)
