"""The one logical image that every tool here builds: its files layer by layer, its configuration, and the secret
planted in each place. Pure: the same bytes in every run."""
import gzip
import io
import random
import tarfile
import zipfile

from tokens import LENGTH, Purse

secret = Purse()

BORDERS = (65536, 131072, 262144, 524288, 1048576, 1048576 + 17408, 2097152, 4194304)
CUTS = (0, 1, 20, 39, 40)  # How many bytes of the secret stand before the border.


def filler(size, seed):
    """`size` bytes of dull text in lines of uneven length."""
    words = ('the', 'layer', 'of', 'an', 'image', 'holds', 'files', 'that', 'nobody', 'reads', 'until', 'something', 'leaks')
    choose = random.Random(seed)
    out, length = [], 0
    while length < size:
        line = ' '.join(choose.choices(words, k=choose.randint(3, 18))) + '\n'
        out.append(line)
        length += len(line)
    return ''.join(out)[:size].encode()


def put(data, offset, purpose):
    """Places a secret at `offset`, a space on each side."""
    data[offset - 1:offset + LENGTH + 1] = b' ' + secret(purpose).encode() + b' '


def borders(cut):
    """A file of more than 5 MiB with a secret across every border that a reader may have, `cut` bytes before it."""
    data = bytearray(filler(6 * 1048576 + 12345, f'borders {cut}'))
    for border in BORDERS:
        put(data, border - cut, f'border {border} cut {cut}')
    put(data, 5 * 1048576 + 777777, f'beyond 5 MiB, cut {cut}')
    data += b'last=' + secret(f'end of a big file, cut {cut}').encode()
    return bytes(data)


def long_line():
    data = bytearray(filler(3 * 1048576, 'long line').replace(b'\n', b' '))
    put(data, 1572864 + 11, 'in a line of 3 MiB')
    data += b' tail=' + secret('end of a line of 3 MiB').encode()
    return b'first line\n' + bytes(data) + b'\nlast line\n'


def env_file(purpose):
    return f'# settings\nNAME=app\nGITHUB_TOKEN={secret(purpose)}\nDEBUG=0\n'.encode()


def tar_of(members):
    """A tar of (name, content) pairs; content is bytes, None for a directory, ('->', target), ('=', linked name)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', format=tarfile.GNU_FORMAT) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.mode = 0o644
            if content is None:
                info.type, info.mode = tarfile.DIRTYPE, 0o755
            elif isinstance(content, tuple):
                info.type = tarfile.SYMTYPE if content[0] == '->' else tarfile.LNKTYPE
                info.linkname = content[1]
                info.mode = 0o755 if name.startswith('bin/') else 0o644
            else:
                info.size = len(content)
                info.mode = 0o755 if content[:4] == b'\x7fELF' else 0o644
            archive.addfile(info, io.BytesIO(content) if isinstance(content, bytes) else None)
    return out.getvalue()


def zip_of(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w') as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return out.getvalue()


def gz(content):
    return gzip.compress(content, mtime=0)


def base_1():
    with open('/usr/bin/busybox', 'rb') as file:
        busybox = file.read()
    links = [('bin/' + name, ('=', 'bin/busybox')) for name in ('sh', 'rm', 'mkdir', 'ln', 'echo', 'cp', 'true')]
    return [('bin', None), ('bin/busybox', busybox), *links, ('tmp', None), ('etc', None),
            ('etc/base.conf', b'listen=80\ntoken=' + secret('file of the base, layer 1').encode() + b'\n'),
            ('etc/base-gone.conf', env_file('file of the base, deleted by the app'))]


def base_2():
    return [('opt', None), ('opt/base', None),
            ('opt/base/vendor.ini', b'[remote]\npassword = ' + secret('file of the base, layer 2').encode() + b'\n'),
            ('usr', None), ('usr/share', None), ('usr/share/nginx', None),
            ('usr/share/nginx/app.js', b'const t = "' + secret('file in /usr/share').encode() + b'";\n')]


def app_1():
    return [
        ('app', None),
        ('app/.env', env_file('file present')),
        ('app/test_config.py', b'TOKEN = "' + secret('file named like a test').encode() + b'"\n'),
        ('app/crlf.txt', b'one\r\ntwo\r\ntoken: ' + secret('file with CRLF lines').encode() + b'\r\nfour\r\n'),
        ('app/deleted.env', env_file('file deleted by a whiteout')),
        ('app/tree', None), ('app/tree/a', None), ('app/tree/a/b', None),
        ('app/tree/a/b/deep.env', env_file('file deleted with its directory')),
        ('app/overwritten.env', env_file('overwritten file, old secret')),
        ('app/becomes-link', env_file('file overwritten by a symlink')),
        ('app/becomes-dir', env_file('file overwritten by a directory')),
        ('app/opaque', None),
        ('app/opaque/hidden.env', env_file('file hidden by an opaque directory')),
        ('app/opaque/again.env', env_file('file replaced within an opaque directory, old secret')),
        ('app/parent', None),
        ('app/parent/child.env', env_file('file whose directory became a file')),
        ('app/linkparent', None),
        ('app/linkparent/child.env', env_file('file whose directory became a symlink')),
        ('app/hard-a.env', env_file('file with two hard links')),
        ('app/hard-b.env', ('=', 'app/hard-a.env')),
        ('app/hard-gone.env', env_file('file with two hard links, the first name deleted')),
        ('app/hard-kept.env', ('=', 'app/hard-gone.env')),
        ('app/backup-' + secret('file name') + '.txt', b'nothing to see\n'),
        ('app/remote', ('->', 'https://' + secret('symlink target') + '@github.com/a/b.git')),
        ('app/no-newline.txt', b'first\nsecond\nkey=' + secret('end of a file without newline').encode()),
        ('app/only.txt', secret('a whole file').encode()),
        ('app/empty.txt', b''),
        ('app/.wh', None),  # Looks like a whiteout, and is none.
        ('app/.wh/not-a-whiteout.env', env_file('file in a directory named .wh')),
        (('app/' + 'd' * 90 + '/') + 'e' * 120 + '.txt', env_file('file with a long name')),
        ('app/naïve ümlaut.env', env_file('file with a name beyond ASCII')),
        ('app/long-line.txt', long_line()),
        ('app/nested.tar', tar_of([('inner/readme', b'hello\n'), ('inner/secret.env', env_file('member of a tar'))])),
        ('app/nested.tar.gz', gz(tar_of([('inner/secret.env', env_file('member of a gzip tar'))]))),
        ('app/nested.zip', zip_of([('readme', b'hello\n'), ('inner/secret.env', env_file('member of a zip'))])),
        ('app/nested.txt.gz', gz(env_file('gzip file'))),
    ]


def app_2():
    return [('big', None)] + [(f'big/cut-{cut}.txt', borders(cut)) for cut in CUTS]


def app_3():
    return [('app/overwritten.env', b'# rotated\n' + env_file('overwritten file, new secret'))]


LAYERS = {'base-1': base_1, 'base-2': base_2, 'app-1': app_1, 'app-2': app_2, 'app-3': app_3}

# What each build step after app-3 runs, in the image.
STEPS = [
    'rm -rf /app/deleted.env /app/tree /app/hard-gone.env /etc/base-gone.conf',
    'rm -rf /app/opaque && mkdir /app/opaque && echo GITHUB_TOKEN=$AGAIN > /app/opaque/again.env',
    'rm -rf /app/parent /app/linkparent && echo x > /app/parent && ln -s /opt/base /app/linkparent',
    'rm /app/becomes-link /app/becomes-dir && ln -s .env /app/becomes-link && mkdir /app/becomes-dir',
]
# What the steps do to the files of lower layers, whichever tool runs them. The first three names stay as they are.
FATES = {
    'file present': 'present', 'file of the base, layer 1': 'present', 'overwritten file, new secret': 'present',
    'file of the base, deleted by the app': 'deleted', 'file deleted by a whiteout': 'deleted',
    'file deleted with its directory': 'deleted', 'file hidden by an opaque directory': 'deleted',
    'file whose directory became a file': 'deleted', 'file whose directory became a symlink': 'deleted',
    'overwritten file, old secret': 'overwritten', 'file overwritten by a symlink': 'overwritten',
    'file overwritten by a directory': 'overwritten',
    'file replaced within an opaque directory, old secret': 'overwritten',
}
AGAIN = 'build argument, and file replaced within an opaque directory, new secret'
BUILD_ARGUMENT = 'build argument'
LITERAL = 'instruction in the history'


def base_dockerfile():
    return f"""FROM scratch
ADD base-1.tar /
ADD base-2.tar /
ENV PATH=/bin BASE_TOKEN={secret('variable of the base')}
CMD ["/bin/sh"]
"""


def app_dockerfile(base):
    remove, opaque, parent, becomes = STEPS
    return f"""FROM {base}
ADD app-1.tar /
ADD app-2.tar /
ADD app-3.tar /
RUN {remove}
ARG AGAIN
RUN {opaque}
ARG BUILD_TOKEN
RUN {parent}
RUN {becomes} && echo {secret(LITERAL)} > /tmp/log && rm /tmp/log
ENV GITHUB_TOKEN={secret('variable')} MODE=production
LABEL org.example.token="{secret('label')}" org.example.name="leaky"
ONBUILD RUN deploy --token {secret('onbuild')}
HEALTHCHECK CMD check --token={secret('healthcheck')}
ENTRYPOINT ["/bin/sh", "-c", "serve --token={secret('entrypoint')}"]
CMD ["--key", "{secret('cmd')}"]
"""


def build_arguments():
    return {'AGAIN': secret(AGAIN), 'BUILD_TOKEN': secret(BUILD_ARGUMENT)}
