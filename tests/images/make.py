#!/usr/bin/python3
"""Builds one leaky image with every container tool that runs here, in every form it can be saved in, and writes down
where each secret stands.   usage: make.py OUTDIR   (as root)

OUTDIR/images/*      the images
OUTDIR/expected.json {"cases": [...], "skipped": [...]}: per case the target, the arguments, and every place of every
                     secret, as reader.py finds it in the very file that was made
"""
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time

import plan
import reader

HOST = 'linux/amd64'


class Missing(Exception):
    """A tool, or what another tool should have made, is not there."""


def run(*command, **options):
    if not shutil.which(command[0]):
        raise Missing(f'{command[0]} is not installed')
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, **options)
    if done.returncode:
        lines = done.stdout.decode(errors='replace').strip().splitlines()
        raise Missing(f'{command[0]} failed: {lines[-1] if lines else done.returncode}')
    return done.stdout.decode(errors='replace')


class Daemon:
    """A daemon of our own, ended by its process id."""

    def __init__(self, command, ready, log):
        if not shutil.which(command[0]):
            raise Missing(f'{command[0]} is not installed')
        with open(log, 'wb') as file:
            self.process = subprocess.Popen(command, stdout=file, stderr=file, start_new_session=True)
        for _ in range(150):
            if self.process.poll() is None and ready():
                return
            time.sleep(0.1)
        self.stop()
        raise Missing(f'{command[0]} did not start')

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def answers(*command):
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20).returncode == 0


class Rig:
    """The output directory, the list of cases, and the list of what could not be made."""

    def __init__(self, out):
        self.work = os.path.join(out, 'work')
        self.images = os.path.join(out, 'images')
        shutil.rmtree(self.images, ignore_errors=True)
        if os.path.exists(self.work):
            self.clean()
        os.makedirs(self.images)
        os.makedirs(self.work)
        self.cases, self.skipped = [], []

    def clean(self):
        """Removes the tools' stores, and the mounts that they leave in them."""
        with open('/proc/self/mountinfo', encoding='utf-8') as file:
            mounted = [line.split()[4] for line in file]
        for place in sorted((m for m in mounted if m.startswith(self.work + '/')), reverse=True):
            subprocess.run(['umount', '--lazy', place], check=False)
        shutil.rmtree(self.work)

    def path(self, name):
        return os.path.join(self.images, name)

    def needs(self, name):
        if not os.path.exists(self.path(name)):
            raise Missing(f'{name} could not be made')
        return self.path(name)

    def make(self, name, family, action, runs=((), )):
        """Runs `action`, which leaves the image at path(name), and records a case for each list of arguments."""
        try:
            action()
            if not os.path.exists(self.path(name)):
                raise Missing('the tool made nothing')
            for arguments in runs:
                self.cases.append(self.case(name, family, list(arguments)))
        except (Missing, OSError, subprocess.SubprocessError) as error:
            self.skipped.append({'name': name, 'reason': str(error)})
            shutil.rmtree(self.path(name), ignore_errors=True)

    def case(self, name, family, arguments):
        platform = HOST if len(reader.read_images(self.path(name))) > 1 and family == 'index' else None
        if arguments[:1] == ['--platform']:
            platform = arguments[1]
        elif arguments == ['--all-platforms']:
            platform = None
        found = reader.places(self.path(name), platform)
        for place in found:
            place['purpose'] = plan.secret.purposes[place['value']]
        return {'name': ' '.join([name, *arguments]), 'target': 'images/' + name, 'arguments': arguments,
                'family': family, 'unfinished': name == 'umoci-insert', 'archive': os.path.isfile(self.path(name)), 'places': found,
                'documents': reader.everywhere(self.path(name))}


def write_context(rig):
    """The build context that docker and buildah share."""
    context = os.path.join(rig.work, 'context')
    os.makedirs(context)
    for name, members in plan.LAYERS.items():
        with open(os.path.join(context, name + '.tar'), 'wb') as file:
            file.write(plan.tar_of(members()))
    for name, text in (('base', plan.base_dockerfile()), ('app', plan.app_dockerfile('localhost/leaky-base:1'))):
        with open(os.path.join(context, 'Dockerfile.' + name), 'w', encoding='utf-8') as file:
            file.write(text)
    return context


def arguments_of_build():
    return [word for name, value in plan.build_arguments().items() for word in ('--build-arg', f'{name}={value}')]


# Docker engine -------------------------------------------------------------------------------------------------------

def docker(rig, context):
    home = os.path.join(rig.work, 'docker')
    socket = f'unix://{home}/docker.sock'
    client = '/usr/bin/docker' if os.path.exists('/usr/bin/docker') else 'docker'
    os.environ['DOCKER_BUILDKIT'] = '0'

    def engine(*command):
        return run(client, '-H', socket, *command)

    os.makedirs(home)
    try:
        daemon = Daemon(['dockerd', '--data-root', home + '/data', '--exec-root', home + '/exec', '--pidfile', home + '/pid',
                         '-H', socket, '--iptables=false', '--ip6tables=false', '--bridge=none',
                         '--storage-driver=overlay2'], lambda: answers(client, '-H', socket, 'version'), home + '/log')
    except (Missing, OSError) as error:
        rig.skipped.append({'name': 'docker-save.tar', 'reason': str(error)})
        return
    try:
        def build_and_save():
            engine('build', '--network', 'none', '-t', 'localhost/leaky-base:1', '-f', context + '/Dockerfile.base', context)
            engine('build', '--network', 'none', *arguments_of_build(), '-t', 'localhost/leaky:1',
                   '-f', context + '/Dockerfile.app', context)
            engine('save', '-o', rig.path('docker-save.tar'), 'localhost/leaky:1')

        rig.make('docker-save.tar', 'docker', build_and_save)
        rig.make('docker-save-base.tar', 'base',
                 lambda: engine('save', '-o', rig.path('docker-save-base.tar'), 'localhost/leaky-base:1'))
        rig.make('docker-save-two-images.tar', 'two', lambda: engine(
            'save', '-o', rig.path('docker-save-two-images.tar'), 'localhost/leaky:1', 'localhost/leaky-base:1'))
        rig.make('docker-save.tar.gz', 'docker', lambda: compress(rig.needs('docker-save.tar'), rig.path('docker-save.tar.gz')))
        rig.make('docker-export-api.tar', 'docker', lambda: run(
            'curl', '-sf', '--unix-socket', home + '/docker.sock', '-o', rig.path('docker-export-api.tar'),
            'http://d/v1.41/images/get?names=localhost/leaky:1'))
    finally:
        daemon.stop()


def compress(source, target):
    with open(source, 'rb') as file, open(target, 'wb') as out:
        subprocess.run(['gzip', '-n1'], stdin=file, stdout=out, check=True)


# podman, buildah, skopeo ---------------------------------------------------------------------------------------------

def podman(rig):
    home = os.path.join(rig.work, 'podman')
    os.makedirs(home)
    settings = home + '/containers.conf'
    with open(settings, 'w', encoding='utf-8') as file:
        file.write('[containers]\nnetns = "none"\n[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n')
    environment = {**os.environ, 'CONTAINERS_CONF': settings}

    def pod(*command):
        return run('podman', '--root', home + '/root', '--runroot', home + '/run', '--tmpdir', home + '/tmp',
                   '--storage-driver', 'vfs', *command, env=environment)

    def save(form, name):
        if not loaded:
            pod('load', '-i', rig.needs('docker-save-two-images.tar'))
            loaded.append(True)
        pod('save', '--format', form, '-o', rig.path(name), 'localhost/leaky:1')

    loaded = []
    rig.make('podman-docker-archive.tar', 'docker', lambda: save('docker-archive', 'podman-docker-archive.tar'))
    rig.make('podman-oci-archive.tar', 'docker', lambda: save('oci-archive', 'podman-oci-archive.tar'))
    rig.make('podman-oci-dir', 'docker', lambda: save('oci-dir', 'podman-oci-dir'))
    rig.make('podman-docker-dir', 'docker', lambda: save('docker-dir', 'podman-docker-dir'))
    rig.make('podman-two-images.tar', 'two', lambda: pod(
        'save', '--multi-image-archive', '-o', rig.path('podman-two-images.tar'), 'localhost/leaky:1', 'localhost/leaky-base:1'))


def buildah(rig, context):
    home = os.path.join(rig.work, 'buildah')

    def ah(driver, *command):
        return run('buildah', '--root', f'{home}/{driver}', '--runroot', f'{home}/{driver}-run', '--storage-driver', driver,
                   *command)

    def build(driver, form):
        for name, arguments in (('leaky-base', []), ('leaky', arguments_of_build())):
            ah(driver, 'bud', '--isolation', 'chroot', '--layers', '--format', form, *arguments,
               *(['--annotation', 'org.example.deploy=key ' + plan.secret('annotation of the manifest')] if form == 'oci' else []),
               '-t', f'localhost/{name}:1', '-f', f'{context}/Dockerfile.{name.replace("leaky-base", "base").replace("leaky", "app")}',
               context)

    def push(driver, form, name, *options, built=()):
        if (driver, form) not in done:
            build(driver, form)
            done.add((driver, form))
        target = {'docker-archive': ':localhost/leaky:1', 'oci': ':1'}.get(options[0], '')
        ah(driver, 'push', *options[1:], 'localhost/leaky:1', f'{options[0]}:{rig.path(name)}{target}')

    done = set()
    for name, *options in (('buildah-docker-archive.tar', 'docker-archive'), ('buildah-oci-archive.tar', 'oci-archive'),
                           ('buildah-oci', 'oci'), ('buildah-oci-zstd', 'oci', '--compression-format', 'zstd'),
                           ('buildah-oci-plain', 'oci', '--disable-compression'), ('buildah-dir', 'dir')):
        rig.make(name, 'buildah', lambda: push('overlay', 'oci', name, *options))
    rig.make('buildah-vfs.tar', 'buildah on vfs', lambda: push('vfs', 'docker', 'buildah-vfs.tar', 'docker-archive'))

    def index():
        for architecture, variant in (('amd64', ''), ('arm64', 'v8')):
            small = f'{home}/{architecture}'
            os.makedirs(small)
            shutil.copy(context + '/base-1.tar', small)
            with open(small + '/own.env', 'wb') as file:
                file.write(plan.env_file(f'file for {architecture} alone'))
            with open(small + '/Dockerfile', 'w', encoding='utf-8') as file:
                file.write('FROM scratch\nADD base-1.tar /\nCOPY own.env /app/own.env\n')
            ah('overlay', 'bud', '--isolation', 'chroot', '--layers', '--timestamp', '0', '--arch', architecture,
               *(['--variant', variant] if variant else []), '-t', f'localhost/multi:{architecture}', small)
        ah('overlay', 'manifest', 'create', 'localhost/multi:all', 'localhost/multi:amd64', 'localhost/multi:arm64')
        ah('overlay', 'manifest', 'push', '--all', 'localhost/multi:all', f'oci:{rig.path("buildah-index")}:all')

    rig.make('buildah-index', 'index', index, PLATFORMS)


PLATFORMS = ((), ('--platform', 'linux/arm64/v8'), ('--all-platforms',))


def skopeo(rig):
    def copy(target, *options):
        run('skopeo', '--insecure-policy', '--tmpdir', rig.work, 'copy', *options,
            f'docker-archive:{rig.needs("docker-save.tar")}', target)

    for name, form, *options in (
            ('skopeo-docker-archive.tar', 'docker-archive:{}:localhost/leaky:1'), ('skopeo-oci', 'oci:{}:1'),
            ('skopeo-oci-archive.tar', 'oci-archive:{}:1'), ('skopeo-oci-zstd', 'oci:{}:1', '--dest-compress-format', 'zstd'),
            ('skopeo-oci-zstd-archive.tar', 'oci-archive:{}:1', '--dest-compress-format', 'zstd'),
            ('skopeo-dir', 'dir:{}', '--dest-compress'), ('skopeo-dir-plain', 'dir:{}', '--dest-decompress')):
        rig.make(name, 'docker', lambda: copy(form.format(rig.path(name)), *options))


# umoci ---------------------------------------------------------------------------------------------------------------

def umoci(rig):
    layout, bundle = rig.path('umoci-oci'), os.path.join(rig.work, 'umoci')
    image = layout + ':1'

    def unpack():
        shutil.rmtree(bundle, ignore_errors=True)
        run('umoci', 'unpack', '--image', image, bundle)

    def layer(created_by, change):
        change()
        run('umoci', 'repack', '--refresh-bundle', '--image', image, '--history.created_by', created_by, bundle)

    def add(name):
        with tarfile.open(fileobj=plan.io.BytesIO(plan.tar_of(plan.LAYERS[name]()))) as archive:
            archive.extractall(bundle + '/rootfs')

    def step(command):
        subprocess.run([shutil.which('chroot'), bundle + '/rootfs', '/bin/sh', '-c', command], check=True, env={'PATH': '/bin'})

    def make():
        run('umoci', 'init', '--layout', layout)
        run('umoci', 'new', '--image', image)
        unpack()
        for name in plan.LAYERS:
            layer(f'ADD {name}.tar /', lambda: add(name))
        remove, _, parent, becomes = plan.STEPS
        layer(remove, lambda: step(remove))
        opaque = os.path.join(rig.work, 'opaque.tar')
        with open(opaque, 'wb') as file:
            file.write(plan.tar_of([('app/opaque', None), ('app/opaque/.wh..wh..opq', b''),
                                    ('app/opaque/again.env', f'GITHUB_TOKEN={plan.secret(plan.AGAIN)}\n'.encode())]))
        run('umoci', 'raw', 'add-layer', '--image', image, '--history.created_by', 'COPY again /app/opaque', opaque)
        unpack()
        arguments = ' '.join(f'{name}={value}' for name, value in plan.build_arguments().items())
        layer(f'|2 {arguments} /bin/sh -c {parent}', lambda: step(parent))
        layer(f'{becomes} && echo {plan.secret(plan.LITERAL)}', lambda: step(becomes))
        run('umoci', 'config', '--image', image, '--config.env', 'GITHUB_TOKEN=' + plan.secret('variable'),
            '--config.label', 'org.example.token=' + plan.secret('label'),
            '--config.cmd', '--key', '--config.cmd', plan.secret('cmd'),
            '--config.entrypoint', '/bin/serve', '--config.entrypoint', '--token=' + plan.secret('entrypoint'),
            '--manifest.annotation', 'org.example.deploy=key ' + plan.secret('annotation of the manifest'))
        run('umoci', 'gc', '--layout', layout)

    rig.make('umoci-oci', 'umoci', make)
    rig.make('umoci-oci.tar', 'umoci', lambda: pack(rig.needs('umoci-oci'), rig.path('umoci-oci.tar')))

    def insert():
        shutil.copytree(rig.needs('umoci-oci'), rig.path('umoci-insert'))
        file = os.path.join(rig.work, 'inserted.env')
        with open(file, 'wb') as out:
            out.write(plan.env_file('file inserted by umoci'))
        run('umoci', 'insert', '--image', rig.path('umoci-insert') + ':1', '--history.created_by', 'COPY inserted.env /app',
            file, '/app/inserted.env')

    # `umoci insert` ends its layer with the file's last byte: no padding, no end of archive. Whether that counts as
    # complete is the scanner's to say; the file's content is all there.
    rig.make('umoci-insert', 'umoci insert', insert)


def pack(layout, target):
    """A layout directory as an archive, its index last, as a stream of a builder has it."""
    with tarfile.open(target, 'w') as archive:
        for name in sorted(os.listdir(layout), key=lambda name: name == 'index.json'):
            archive.add(os.path.join(layout, name), name)


# containerd ----------------------------------------------------------------------------------------------------------

def containerd(rig):
    home = os.path.join(rig.work, 'containerd')
    os.makedirs(home)
    settings, socket = home + '/config.toml', home + '/c.sock'
    with open(settings, 'w', encoding='utf-8') as file:
        file.write(f'version = 2\nroot = "{home}/root"\nstate = "{home}/state"\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
                   f'[grpc]\naddress = "{socket}"\n[ttrpc]\naddress = "{socket}.ttrpc"\n')

    def ctr(*command):
        return run('ctr', '-a', socket, '-n', 'test', *command)

    names = {'containerd-gzip.tar': 'skopeo-oci-archive.tar', 'containerd-zstd.tar': 'skopeo-oci-zstd-archive.tar'}
    try:
        daemon = Daemon(['containerd', '-c', settings], lambda: answers('ctr', '-a', socket, 'version'), home + '/log')
    except (Missing, OSError) as error:
        rig.skipped += [{'name': name, 'reason': str(error)} for name in names]
        return

    def export(source, target, reference):
        ctr('images', 'import', '--no-unpack', '--base-name', 'localhost/' + reference, rig.needs(source))
        listed = [line for line in ctr('images', 'ls', '-q').split() if line.startswith('localhost/' + reference)]
        ctr('images', 'export', rig.path(target), listed[0])

    try:
        for target, source in names.items():
            rig.make(target, 'docker', lambda: export(source, target, target.removesuffix('.tar')))
    finally:
        daemon.stop()


# Made by hand: what no tool here can make ------------------------------------------------------------------------------

class Layout:
    """An OCI layout directory that blobs are added to."""

    def __init__(self, path):
        self.path = path
        os.makedirs(path + '/blobs/sha256', exist_ok=True)
        with open(path + '/oci-layout', 'w', encoding='utf-8') as file:
            file.write('{"imageLayoutVersion":"1.0.0"}')

    def add(self, content, media_type, **more):
        if not isinstance(content, bytes):
            content = json.dumps(content).encode()
        digest = hashlib.sha256(content).hexdigest()
        with open(f'{self.path}/blobs/sha256/{digest}', 'wb') as file:
            file.write(content)
        return {'mediaType': media_type, 'digest': 'sha256:' + digest, 'size': len(content), **more}

    def index(self, document):
        with open(self.path + '/index.json', 'w', encoding='utf-8') as file:
            json.dump(document, file)


OCI = 'application/vnd.oci.image.'


def provenance():
    """What a builder attests in its most talkative mode: the build arguments among it."""
    return {
        '_type': 'https://in-toto.io/Statement/v0.1', 'predicateType': 'https://slsa.dev/provenance/v0.2',
        'subject': [{'name': 'pkg:docker/leaky@1', 'digest': {'sha256': '0' * 64}}],
        'predicate': {'buildType': 'https://mobyproject.org/buildkit@v1', 'invocation': {'parameters': {
            'frontend': 'dockerfile.v0', 'args': {'build-arg:ATTESTED_TOKEN': plan.secret('build argument in the provenance'),
                                                  'filename': 'Dockerfile'}}}}}


def index_with_attestation(rig):
    """Two platforms that share their first layer, annotations at every level, and a provenance attached to one."""
    layout = Layout(rig.path('hand-index'))
    shared = plan.tar_of(plan.base_1())
    descriptors = []
    for platform, packer in (({'os': 'linux', 'architecture': 'amd64'}, plan.gz),
                             ({'os': 'linux', 'architecture': 'arm64', 'variant': 'v8'}, lambda data: data)):
        name = platform['architecture']
        own = plan.tar_of([('app//oddly', None), ('./app//oddly/named.env', plan.env_file(f'oddly named file for {name} alone'))])
        layers = [(plan.gz(shared), shared), (packer(own), own)]
        config = layout.add({**platform, 'config': {'Env': [f'TOKEN={plan.secret(f"variable for {name} alone")}']},
                             'rootfs': {'type': 'layers', 'diff_ids': [reader.sha256(data) for _, data in layers]},
                             'history': [{'created_by': 'ADD base'}, {'created_by': 'COPY own'}]}, OCI + 'config.v1+json')
        manifest = {'schemaVersion': 2, 'mediaType': OCI + 'manifest.v1+json', 'config': config,
                    'layers': [layout.add(blob, OCI + 'layer.v1.tar+gzip') for blob, _ in layers],
                    'annotations': {'org.example.manifest': plan.secret(f'annotation of the manifest for {name}')}}
        manifest['layers'][1]['annotations'] = {'org.example.layer': plan.secret(f'annotation of a layer for {name}')}
        descriptors.append(layout.add(manifest, manifest['mediaType'], platform=platform, annotations={
            'org.example.descriptor': plan.secret(f'annotation of a descriptor for {name}')}))
    statement = layout.add(provenance(), 'application/vnd.in-toto+json',
                           annotations={'in-toto.io/predicate-type': 'https://slsa.dev/provenance/v0.2'})
    config = layout.add({'architecture': 'unknown', 'os': 'unknown', 'config': {},
                         'rootfs': {'type': 'layers', 'diff_ids': [statement['digest']]}}, OCI + 'config.v1+json')
    attestation = {'schemaVersion': 2, 'mediaType': OCI + 'manifest.v1+json', 'config': config, 'layers': [statement]}
    descriptors.append(layout.add(attestation, attestation['mediaType'],
                                  platform={'os': 'unknown', 'architecture': 'unknown'},
                                  annotations={'vnd.docker.reference.type': 'attestation-manifest',
                                               'vnd.docker.reference.digest': descriptors[0]['digest']}))
    inner = layout.add({'schemaVersion': 2, 'mediaType': OCI + 'index.v1+json', 'manifests': descriptors,
                        'annotations': {'org.example.index': plan.secret('annotation of the index')}}, OCI + 'index.v1+json')
    layout.index({'schemaVersion': 2, 'manifests': [inner]})


def engine_layout(rig):
    """The form that current engines save in: an OCI layout with plain layers, and a manifest.json that names its blobs."""
    layout = rig.path('hand-engine')
    run('skopeo', '--insecure-policy', 'copy', 'dir:' + rig.needs('skopeo-dir-plain'), f'oci:{layout}:1')
    with open(layout + '/index.json', encoding='utf-8') as file:
        digest = json.load(file)['manifests'][0]['digest']
    with open(f'{layout}/blobs/{digest.replace(":", "/")}', encoding='utf-8') as file:
        manifest = json.load(file)
    blob = {'config': 'blobs/' + manifest['config']['digest'].replace(':', '/'),
            'layers': ['blobs/' + layer['digest'].replace(':', '/') for layer in manifest['layers']]}
    with open(layout + '/manifest.json', 'w', encoding='utf-8') as file:
        json.dump([{'Config': blob['config'], 'RepoTags': ['localhost/leaky:1'], 'Layers': blob['layers']}], file)
    pack(layout, rig.path('hand-engine.tar'))
    shutil.rmtree(layout)


def by_hand(rig):
    rig.make('hand-index', 'index', lambda: index_with_attestation(rig), PLATFORMS)
    rig.make('hand-index.tar', 'index', lambda: pack(rig.needs('hand-index'), rig.path('hand-index.tar')), PLATFORMS)
    rig.make('hand-engine.tar', 'docker', lambda: engine_layout(rig))


WHOLE = ('docker', 'buildah', 'buildah on vfs', 'umoci', 'umoci insert')  # Families of the whole logical image.
# What formats cannot say, or a tool drops. All other secrets of the plan must be in every image of a whole family.
MAY_BE_LOST = ('healthcheck', 'onbuild', 'variable of the base', 'annotation of', 'inserted by umoci', ' alone',
               'in the provenance')


def faults_of(case):
    """Where the truth that was read back contradicts the plan: then a tool, or reader.py, did not do what we think."""
    if case['family'] not in WHOLE:
        return []
    there = {place['value'] for place in case['places']}
    faults = [f'{purpose} is lost' for value, purpose in plan.secret.purposes.items()
              if value not in there and not any(part in purpose for part in MAY_BE_LOST)]
    for place in case['places']:
        fate = plan.FATES.get(place['purpose'])
        if place['kind'] == 'file' and fate not in (None, place['state']):
            faults.append(f'{place["purpose"]} is {place["state"]}, not {fate}')
    return faults


def main(out):
    rig = Rig(os.path.abspath(out))
    os.makedirs(out, exist_ok=True)
    try:
        context = write_context(rig)
        docker(rig, context)
        podman(rig)
        buildah(rig, context)
        skopeo(rig)
        umoci(rig)
        containerd(rig)
        by_hand(rig)
    finally:
        rig.clean()
    with open(os.path.join(out, 'expected.json'), 'w', encoding='utf-8') as file:
        json.dump({'cases': rig.cases, 'skipped': rig.skipped}, file, indent=1)
    faults = 0
    for case in rig.cases:
        print(f'made {case["name"]}: {len(case["places"])} places')
        for fault in faults_of(case):
            faults += 1
            print(f'     WRONG: {fault}')
    for skip in rig.skipped:
        print(f'skipped {skip["name"]}: {skip["reason"]}')
    print(f'{len(rig.cases)} cases, {faults} wrong, {len(rig.skipped)} skipped')
    return 1 if faults else 0


if __name__ == '__main__':
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
