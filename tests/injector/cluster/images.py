"""Small images, as the tar files that containerd imports: what holds a pod together, and the application."""
import hashlib
import io
import json
import pathlib
import subprocess
import tarfile
import tempfile

PAUSE = '''
#include <signal.h>
#include <unistd.h>
static void end(int s) { (void)s; _exit(0); }
int main(void) { signal(SIGTERM, end); signal(SIGINT, end); for (;;) pause(); }
'''


def write(tar_path, names, files, config):
    """A docker-archive of one layer. names: separated by spaces; files: path in the image -> (bytes, mode)."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode='w', format=tarfile.PAX_FORMAT) as tar:
        folders = sorted({str(parent) for path in files for parent in pathlib.PurePosixPath(path).parents} - {'/', '.'})
        for folder in folders:
            info = tarfile.TarInfo(folder.lstrip('/'))
            info.type, info.mode = tarfile.DIRTYPE, 0o1777 if folder == '/tmp' else 0o755
            tar.addfile(info)
        for path, (content, mode) in sorted(files.items()):
            info = tarfile.TarInfo(path.lstrip('/'))
            if mode is None:
                info.type, info.linkname = tarfile.SYMTYPE, content
                tar.addfile(info)
                continue
            info.mode, info.size = mode, len(content)
            tar.addfile(info, io.BytesIO(content))
    blob = layer.getvalue()
    document = json.dumps({'architecture': 'amd64', 'os': 'linux', 'config': config,
                           'rootfs': {'type': 'layers', 'diff_ids': ['sha256:' + hashlib.sha256(blob).hexdigest()]},
                           'history': [{'created_by': 'test'}]}).encode()
    manifest = json.dumps([{'Config': 'config.json', 'RepoTags': names.split(), 'Layers': ['layer.tar']}]).encode()
    with tarfile.open(tar_path, 'w') as tar:
        for path, content in (('config.json', document), ('layer.tar', blob), ('manifest.json', manifest)):
            info = tarfile.TarInfo(path)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return tar_path


def pause(folder):
    with tempfile.TemporaryDirectory() as work:
        source = pathlib.Path(work) / 'pause.c'
        source.write_text(PAUSE)
        subprocess.run(['gcc', '-Os', '-static', '-s', '-o', work + '/pause', source], check=True)
        files = {'/pause': (pathlib.Path(work + '/pause').read_bytes(), 0o755)}
    return write(folder / 'pause.tar', 'localhost/pause:1', files, {'Entrypoint': ['/pause'], 'User': '65534:65534'})


def application(folder):
    """A shell and what belongs to it: the application that is given its secrets as files."""
    busybox = pathlib.Path('/bin/busybox').read_bytes()
    names = subprocess.run(['/bin/busybox', '--list'], capture_output=True, text=True, check=True).stdout.split()
    files = {'/bin/busybox': (busybox, 0o755), '/tmp/.keep': (b'', 0o644),
             '/etc/passwd': (b'root:x:0:0::/:/bin/sh\napp:x:10001:10001::/:/bin/sh\n', 0o644)}
    files.update({f'/bin/{name}': ('busybox', None) for name in names if name != 'busybox'})
    return write(folder / 'app.tar', 'localhost/app:1 docker.io/library/busybox:1.36', files,   # the latter in deploy/examples
                 {'Cmd': ['/bin/sh'], 'User': '10001:10001', 'Env': ['PATH=/bin'], 'WorkingDir': '/tmp'})
