"""Packs CACHE/layers/*.tar as images: plain docker-archive, gzip and zstd OCI archives, of many layers and of one.

usage: images.py CACHE
Leaves CACHE/images/*.tar and CACHE/images.json, which names each image's layers and its SHA-256: the same layers give
the same images. Packed layers stay beside the plain ones, for the limits that are measured on them."""
import concurrent.futures
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile

OCI = 'application/vnd.oci.image.'
# What container tools use by default.
PACKERS = {'gzip': ('.gz', ['gzip', '-6', '-n', '-c']), 'zstd': ('.zst', ['zstd', '-3', '-T1', '-q', '-c'])}


def sha256(path):
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        for block in iter(lambda: file.read(1 << 20), b''):
            digest.update(block)
    return digest.hexdigest()


def pack(path, form):
    """The layer in another form, from a pipe, as tools make it: the frame does not state its content's size."""
    if form == 'plain':
        return path
    suffix, command = PACKERS[form]
    packed = path + suffix
    if not os.path.exists(packed):
        with open(path, 'rb') as file, open(packed + '.part', 'wb') as out:
            cat = subprocess.Popen(['cat'], stdin=file, stdout=subprocess.PIPE)
            subprocess.run(command, stdin=cat.stdout, stdout=out, check=True)
            cat.wait()
        os.rename(packed + '.part', packed)
    return packed


def add(archive, name, content):
    """Adds bytes, or the file that a path names."""
    info = tarfile.TarInfo(name)
    if isinstance(content, bytes):
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    else:
        info.size = os.path.getsize(content)
        with open(content, 'rb') as file:
            archive.addfile(info, file)


def config_of(diff_ids, layers):
    return json.dumps({'architecture': 'amd64', 'os': 'linux', 'config': {'Env': ['PATH=/usr/sbin:/usr/bin:/sbin:/bin']},
                       'rootfs': {'type': 'layers', 'diff_ids': ['sha256:' + d for d in diff_ids]},
                       'history': [{'created_by': 'install ' + os.path.basename(path)} for path in layers]}).encode()


def docker_archive(out, layers, diff_ids):
    config = config_of(diff_ids, layers)
    name = hashlib.sha256(config).hexdigest() + '.json'
    with tarfile.open(out, 'w') as archive:
        for path, digest in zip(layers, diff_ids):
            add(archive, digest + '/layer.tar', path)
        add(archive, name, config)
        add(archive, 'manifest.json', json.dumps([{'Config': name, 'RepoTags': ['bench:1'],
                                                   'Layers': [d + '/layer.tar' for d in diff_ids]}]).encode())


def oci_archive(out, layers, diff_ids, form):
    with tarfile.open(out, 'w') as archive:
        def blob(content, media_type):
            digest = hashlib.sha256(content).hexdigest() if isinstance(content, bytes) else sha256(content)
            add(archive, 'blobs/sha256/' + digest, content)
            size = len(content) if isinstance(content, bytes) else os.path.getsize(content)
            return {'mediaType': media_type, 'digest': 'sha256:' + digest, 'size': size}

        add(archive, 'oci-layout', b'{"imageLayoutVersion":"1.0.0"}')
        packed = [blob(pack(path, form), f'{OCI}layer.v1.tar+{form}') for path in layers]
        config = blob(config_of(diff_ids, layers), OCI + 'config.v1+json')
        manifest = blob(json.dumps({'schemaVersion': 2, 'mediaType': OCI + 'manifest.v1+json', 'config': config,
                                    'layers': packed}).encode(), OCI + 'manifest.v1+json')
        add(archive, 'index.json', json.dumps({'schemaVersion': 2, 'manifests': [manifest]}).encode())


def main(cache):
    here = os.path.join(cache, 'layers')
    steps = sorted(os.path.join(here, n) for n in os.listdir(here) if n.endswith('.tar') and n[0].isdigit())
    contents = {'many': steps, 'one': [os.path.join(here, 'all.tar')], 'text': [os.path.join(here, 'text.tar')]}
    every = [path for layers in contents.values() for path in layers]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda job: pack(*job), [(path, form) for path in every for form in PACKERS]))
        digests = dict(zip(every, pool.map(sha256, every)))
    os.makedirs(os.path.join(cache, 'images'), exist_ok=True)
    images = {}
    for content, layers in contents.items():
        diff_ids = [digests[path] for path in layers]
        for form in ('plain', *PACKERS):
            out = os.path.join(cache, 'images', f'{content}-{form}.tar')
            if form == 'plain':
                docker_archive(out, layers, diff_ids)
            else:
                oci_archive(out, layers, diff_ids, form)
            images[f'{content}-{form}'] = {'file': out, 'size': os.path.getsize(out), 'sha256': sha256(out),
                                           'plain': layers, 'layers': [pack(path, form) for path in layers]}
    with open(os.path.join(cache, 'images.json'), 'w', encoding='utf-8') as file:
        json.dump(images, file, indent=1)


if __name__ == '__main__':
    main(sys.argv[1])
