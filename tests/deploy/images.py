#!/usr/bin/python3
"""Builds deploy/images for real, compiler and all, on a Debian that debootstrap makes under the name that the Dockerfile
uses; and looks at what came out: size, content, user, reproducible, runs, and without secrets by our own scanner.

usage: images.py SCAN_SECRETS [--save FOLDER] [--fresh]     (as root)

--save leaves each image as FOLDER/NAME.tar (docker-archive, named localhost/NAME:VERSION). The base is kept in
$SCAN_SECRETS_TOOLS/buildah where overlays can be mounted on it. Objects come from the user's ccache, where a release that
was built here has left them; --fresh compiles everything anew.
"""
import argparse
import contextlib
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

from sheet import Sheet, Skip, check

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / 'deploy/images/Dockerfile'
PROGRAMS = ('scan-secrets', 'secret-injector', 'secret-webhook')
VERSION = '0.1.0'
EPOCH = '1700000000'
MOST_BYTES = 30_000_000
MIRROR = 'http://deb.debian.org/debian'
SUITES = ('debian bookworm', 'debian bookworm-updates', 'debian-security bookworm-security')

# What containers need where limits cannot be raised and control groups are of both kinds.
SETTINGS = '''[containers]
default_ulimits = ["nofile=1024:1024","nproc=1024:1024"]
netns = "host"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
'''


def stacks(place):
    """Whether an overlay can be mounted on this file system; none can on an overlay."""
    done = subprocess.run(['stat', '-f', '-c', '%T', place], capture_output=True, text=True, check=True)
    return done.stdout.strip() != 'overlayfs'


def compiled_objects():
    folder = subprocess.run(['ccache', '-k', 'cache_dir'], capture_output=True, text=True, check=True).stdout.strip()
    os.makedirs(folder, exist_ok=True)
    return ['--build-arg', 'CCACHE_DIR=/ccache', '--volume', f'{folder}:/ccache']


class Builder:
    def __init__(self, place, fresh):
        self.place = place
        self.objects = [] if fresh else compiled_objects()
        place.mkdir(parents=True, exist_ok=True)
        (place / 'containers.conf').write_text(SETTINGS)
        self.environment = dict(os.environ, CONTAINERS_CONF=str(place / 'containers.conf'), TMPDIR=str(place))
        self.store = ['--root', str(place / 'root'), '--runroot', str(place / 'run')]
        if not stacks(place):
            self.store += ['--storage-driver', 'vfs']

    def run(self, program, *arguments, **options):
        return subprocess.run([program, *self.store, *map(str, arguments)], env=self.environment, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)

    def buildah(self, *arguments, lines=30):
        done = self.run('buildah', *arguments)
        text = done.stdout.decode(errors='replace')
        check(done.returncode == 0, f'buildah {arguments[0]} ended with {done.returncode}:\n' +
              '\n'.join(text.splitlines()[-lines:]))
        return text.strip()

    def close(self):
        """Takes away what builds and runs leave: containers that failed, mounts within the place."""
        self.run('buildah', 'rm', '--all')
        with open('/proc/self/mountinfo') as file:
            mounts = [line.split()[4] for line in file]
        for mount in reversed([mount for mount in mounts if mount.startswith(f'{self.place}/')]):
            subprocess.run(['umount', '-l', mount], check=False)

    def tidy(self):
        """Stages of sources that are no more go when they take much; what was compiled stays in ccache."""
        done = subprocess.run(['du', '-sb', self.place / 'root'], capture_output=True, text=True, check=False)
        if done.stdout and int(done.stdout.split()[0]) > 10e9:
            self.run('buildah', 'rmi', '--prune', '--force')

    def base(self):
        """The Debian that the Dockerfile names."""
        name = re.search(r'^ARG DEBIAN=(\S+)', DOCKERFILE.read_text(), re.M).group(1)
        if self.run('buildah', 'inspect', '--type', 'image', name).returncode == 0:
            return
        with tempfile.TemporaryDirectory(dir=self.place) as folder:
            debian = pathlib.Path(folder) / 'debian'
            # The machine's own sources, where they are of this Debian.
            own = [pathlib.Path('/etc/apt/sources.list.d/debian.sources'), pathlib.Path('/etc/apt/sources.list')]
            own = [path for path in own if path.exists() and 'bookworm-security' in path.read_text()]
            mirror = re.search(r'(https?://\S+/debian)/?\s', ''.join(path.read_text() for path in own))
            subprocess.run(['debootstrap', '--variant=minbase', 'bookworm', debian, mirror[1] if mirror else MIRROR],
                           check=True, stdout=subprocess.DEVNULL)
            lists = [f'deb {MIRROR.removesuffix("/debian")}/{suite} main\n' for suite in SUITES]
            (debian / 'etc/apt/sources.list').write_text('' if own else ''.join(lists))
            for path in own:
                shutil.copy(path, debian / path.relative_to('/'))
            container = self.buildah('from', 'scratch')
            self.buildah('add', '-q', container, debian, '/')
            self.buildah('config', '--cmd', '/bin/bash', container)
            self.buildah('commit', '-q', '--rm', container, name)

    def build(self, target, *options):
        # --layers: three targets compile once. All times in what comes out are the commit's, as with SOURCE_DATE_EPOCH.
        self.buildah('bud', '--isolation', 'chroot', '--layers', '--timestamp', EPOCH, *self.objects, '--build-arg',
                     f'SOURCE_DATE_EPOCH={EPOCH}', '--build-arg', f'VERSION={VERSION}', '--pull-never', '--ignorefile',
                     f'{DOCKERFILE}.dockerignore', '-f', DOCKERFILE, '--target', target, '-t',
                     f'localhost/{target}:{VERSION}', *options, ROOT)

    def layout(self, target, folder):
        folder.mkdir(exist_ok=True)
        path = folder / target
        shutil.rmtree(path, ignore_errors=True)
        self.buildah('push', '-q', f'localhost/{target}:{VERSION}', f'oci:{path}:{VERSION}')
        return Image(path)

    def podman(self, *arguments, **options):
        temporary = ['--tmpdir', str(self.place / 'tmp')]
        return self.run('podman', *temporary, *arguments, **options)

    def run_in(self, image, *arguments, **options):
        """As a cluster runs it: no rights, nothing to write to, no network."""
        return self.podman('run', '--rm', '--network', 'none', '--read-only', '--read-only-tmpfs=false', '--cap-drop',
                           'ALL', '--security-opt', 'no-new-privileges', *(['-i'] if 'stdin' in options else []), image,
                           *arguments, timeout=120, **options)


class Image:
    """An OCI layout with one image in it."""

    def __init__(self, path):
        self.path = path
        self.digest = json.loads((path / 'index.json').read_text())['manifests'][0]['digest']
        self.manifest = json.loads(self.blob(self.digest).read_bytes())
        self.config = json.loads(self.blob(self.manifest['config']['digest']).read_bytes())
        self.entries = {}
        for layer in self.manifest['layers']:
            with tarfile.open(self.blob(layer['digest'])) as tar:
                for entry in tar:
                    content = tar.extractfile(entry).read() if entry.isfile() else b''
                    self.entries[entry.name.strip('/')] = (entry, content)

    def blob(self, digest):
        return self.path / 'blobs' / digest.replace(':', '/')

    def bytes(self):
        return sum(entry.size for entry, _ in self.entries.values())


def check_content(name, image):
    names = set(image.entries)
    shells = {path for path in names if re.search(r'(^|/)(ba|da|a|z|k)?sh$|busybox|(^|/)(apt|dpkg|perl|python)[^/]*$', path)}
    check(not shells - {'var/lib/dpkg'}, f'more than the program can be started: {sorted(shells)}')
    for path, (entry, content) in image.entries.items():
        check(entry.uid == 0 and entry.gid == 0, f'{path} belongs to {entry.uid}:{entry.gid}')
        check(not entry.mode & 0o7022, f'{path} has the mode {entry.mode:o}')
        check(entry.mtime == int(EPOCH), f'{path} is of {entry.mtime}')
        check(entry.isfile() or entry.isdir() or entry.issym(), f'{path} is no file')
        if content.startswith(b'\x7fELF'):
            check(re.match(r'(usr/bin/[a-z-]+$|lib(64)?/)', path), f'a program at {path}')
    programs = [path for path in names if path.startswith('usr/bin/')]
    check(programs == [f'usr/bin/{name}'], f'programs: {programs}')
    check(b'BEGIN CERTIFICATE' in image.entries['etc/ssl/certs/ca-certificates.crt'][1], 'no CA certificates')
    listed = [path for path in names if path.startswith('var/lib/dpkg/status.d/')]
    check({'var/lib/dpkg/status.d/libc6', 'var/lib/dpkg/status.d/ca-certificates'} < set(listed), f'packages named for vulnerability scanners: {listed}')
    for path in listed:
        package = path.rsplit('/', 1)[1]
        check(re.search(rb'^Version: \d', image.entries[path][1], re.M), f'{package} has no version')
        check(f'usr/share/doc/{package}/copyright' in names, f'no licence of {package}')


def check_config(name, image):
    config = image.config['config']
    check(config['User'] == '65532:65532', f'user {config.get("User")}')
    check(config['Entrypoint'] == [f'/usr/bin/{name}'], f'entrypoint {config.get("Entrypoint")}')
    check(not config.get('Cmd'), f'a command: {config.get("Cmd")}')
    labels = config['Labels']
    for label in ('title', 'description', 'version', 'revision', 'licenses'):
        check(labels.get(f'org.opencontainers.image.{label}'), f'no label {label}')
    check(labels['org.opencontainers.image.title'] == name and labels['org.opencontainers.image.version'] == VERSION,
          'wrong labels')
    check(not [item for item in config.get('Env', []) if not item.startswith('PATH=')], f'environment: {config["Env"]}')


def check_scanned(scanner, image):
    done = subprocess.run([scanner, 'image', image.path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    check(done.returncode == 0, f'exit code {done.returncode}:\n{done.stdout.decode(errors="replace")[-3000:]}')


def check_again(builder, name, image, folder):
    """The last stage from the same files in another place and with other times: the same image."""
    roots = folder / 'roots'
    shutil.rmtree(roots, ignore_errors=True)
    (roots / name).mkdir(parents=True)
    container = builder.buildah('from', '--pull-never', f'localhost/{name}:{VERSION}')
    try:
        mounted = builder.buildah('mount', container)
        subprocess.run(['cp', '-r', f'{mounted}/.', roots / name], check=True)
    finally:
        builder.buildah('rm', container)
    builder.build(name, '--no-cache', '--build-context', f'roots={roots}')
    again = builder.layout(name, folder / 'again')
    check(again.digest == image.digest, f'{image.digest} became {again.digest}')


def check_compiled(images, release, folder):
    """Made in another folder, by the same packages: the same bytes. With shared objects that is the linker's doing alone."""
    def version(package):
        done = subprocess.run(['dpkg-query', '-W', '-f', '${Version}', package], capture_output=True, text=True, check=False)
        return done.stdout

    image = images['secret-injector']
    for path, (_, content) in image.entries.items():
        if path.startswith('var/lib/dpkg/status.d/'):
            package = path.rsplit('/', 1)[1]
            there = re.search(rb'^Version: (.*)$', content, re.M).group(1).decode()
            if package != 'ca-certificates' and version(package) != there:
                raise Skip(f'{package} is {version(package) or "not installed"} here and {there} in the image')
    stripped = folder / 'stripped'
    subprocess.run(['strip', '--strip-all', '-o', stripped, release / 'secret-injector'], check=True)
    here = hashlib.sha256(stripped.read_bytes()).hexdigest()
    there = hashlib.sha256(image.entries['usr/bin/secret-injector'][1]).hexdigest()
    check(here == there, f'{here} in build/release, {there} in the image')


def check_hardened(name, image, folder):
    """What the linker leaves in the program: its address is random, nothing is writable and executable, no lazy binding."""
    program = folder / 'program'
    program.write_bytes(image.entries[f'usr/bin/{name}'][1])
    text = subprocess.run(['readelf', '-W', '-h', '-l', '-d', program], capture_output=True, text=True, check=True).stdout
    check(re.search(r'Type: +DYN', text), 'no PIE')
    check('GNU_RELRO' in text and re.search(r'FLAGS.*BIND_NOW', text), 'no full RELRO')
    check(re.search(r'GNU_STACK +\S+ \S+ \S+ \S+ \S+ RW ', text), 'an executable stack')
    check(not re.search(r'LOAD.* RWE ', text), 'a segment that can be written to and run')
    check('RPATH' not in text and 'RUNPATH' not in text, 'it looks for libraries elsewhere')


def check_runs(builder, name):
    done = builder.run_in(f'localhost/{name}:{VERSION}', '--version')
    text = done.stdout.decode(errors='replace')
    check(done.returncode == 0 and VERSION in text, f'exit code {done.returncode}: {text}')


def leaky(folder):
    """An image with a secret in it, as `docker save` writes it."""
    key = 'AKIA' + hashlib.sha256(b'leaky').hexdigest()[:16].upper().translate(str.maketrans('0189', 'ABCD'))
    (folder / '.env').write_text(f'AWS_ACCESS_KEY_ID={key}\n')
    layer = folder / 'layer.tar'
    with tarfile.open(layer, 'w') as tar:
        tar.add(folder / '.env', 'app/.env')
    diff = 'sha256:' + hashlib.sha256(layer.read_bytes()).hexdigest()
    config = {'architecture': 'amd64', 'os': 'linux', 'config': {}, 'rootfs': {'type': 'layers', 'diff_ids': [diff]},
              'history': [{'created_by': 'COPY .env /app/.env'}]}
    (folder / 'config.json').write_text(json.dumps(config))
    (folder / 'manifest.json').write_text(json.dumps([{'Config': 'config.json', 'RepoTags': ['leaky:1'], 'Layers': ['layer.tar']}]))
    path = folder / 'leaky.tar'
    with tarfile.open(path, 'w') as tar:
        for name in ('config.json', 'layer.tar', 'manifest.json'):
            tar.add(folder / name, name)
    return path


def check_scans(builder, folder):
    """The scanner in its image finds what it is there to find, and says so by its exit code."""
    with open(leaky(folder), 'rb') as image:
        done = builder.run_in(f'localhost/scan-secrets:{VERSION}', 'image', '-', stdin=image)
    text = done.stdout.decode(errors='replace')
    check(done.returncode == 1 and '.env' in text, f'exit code {done.returncode}: {text[-2000:]}')


def main(scanner, save, fresh):
    sheet = Sheet()
    missing = [tool for tool in ('buildah', 'debootstrap', 'podman', 'runc') if not shutil.which(tool)]
    if os.getuid() != 0 or missing:
        for name in PROGRAMS:
            with sheet.case(f'{name}: the image'):
                raise Skip('needs ' + (', '.join(missing) or 'root'))
        return sheet.end()
    tools = os.environ.get('SCAN_SECRETS_TOOLS') or os.path.expanduser('~/.cache/scan-secrets-tests')
    kept = pathlib.Path(tools) / 'buildah'
    pathlib.Path(tools).mkdir(parents=True, exist_ok=True)
    images = {}
    with contextlib.ExitStack() as stack:
        if not stacks(tools) and stacks('/tmp'):
            kept = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(dir='/tmp', prefix='b.', ignore_cleanup_errors=True)))
        builder = Builder(kept, fresh)
        stack.callback(builder.close)
        work = stack.enter_context(tempfile.TemporaryDirectory(dir=builder.place))
        folder = pathlib.Path(work)
        with sheet.case('a base by debootstrap'):
            builder.tidy()
            builder.base()
        for name in PROGRAMS:
            with sheet.case(f'{name}: builds'):
                builder.build(name)
                images[name] = builder.layout(name, folder)
        for name, image in images.items():
            with sheet.case(f'{name}: is small ({image.bytes() / 1e6:.1f} MB)'):
                check(image.bytes() <= MOST_BYTES, f'{image.bytes()} bytes, {MOST_BYTES} are allowed')
            with sheet.case(f'{name}: holds the program, what it loads, certificates and licences, and nothing to start besides'):
                check_content(name, image)
            with sheet.case(f'{name}: hardened by the linker'):
                check_hardened(name, image, folder)
            with sheet.case(f'{name}: user, entrypoint, labels'):
                check_config(name, image)
            with sheet.case(f'{name}: scan-secrets finds nothing, and looked everywhere'):
                check_scanned(scanner, image)
            with sheet.case(f'{name}: starts without rights, network and a place to write'):
                check_runs(builder, name)
            with sheet.case(f'{name}: built again, the same digest'):
                check_again(builder, name, image, folder)
        if 'scan-secrets' in images:
            with sheet.case('scan-secrets: finds a secret from its image, through a pipe'):
                check_scans(builder, folder)
        if 'secret-injector' in images:
            with sheet.case('secret-injector: made in another folder, the same bytes'):
                check_compiled(images, scanner.parent, folder)
        if save:
            save.mkdir(parents=True, exist_ok=True)
            for name in images:
                (save / f'{name}.tar').unlink(missing_ok=True)
                builder.buildah('push', '-q', f'localhost/{name}:{VERSION}',
                                f'docker-archive:{save / name}.tar:localhost/{name}:{VERSION}')
    return sheet.end()


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('scanner', type=pathlib.Path)
    parser.add_argument('--save', type=pathlib.Path)
    parser.add_argument('--fresh', action='store_true')
    options = parser.parse_args()
    sys.exit(main(options.scanner.resolve(), options.save and options.save.resolve(), options.fresh))
