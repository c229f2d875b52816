#!/usr/bin/python3
"""Runs command transcripts.   usage: transcripts.py PROGRAM [--pages FOLDER] [NAME...]

A transcript is one page: files, commands, what they print and how they end. Pages are those beside this file, or in FOLDER.

    === file app/.env          the lines up to the next === are the file; {{TOKEN}} and {{TOKEN2}} are made-up tokens
    === image app.tar FILE...  makes a docker-archive of one layer a FILE out of such files (and env.txt as its ENV)
    $ scan-secrets dir app     run in a scratch folder, CI and NO_COLOR unset, standard input empty, or `< FILE`
    expected output            standard output; `...` stands for any lines, `{}` for any text within a line
    ! expected message         a line of standard error
    [1]                        the exit code, where it is not 0
    # a remark

{{HERE}} is the scratch folder's path.

After a change that is meant, read what it prints and write that down here.
"""
import hashlib
import io
import json
import os
import pathlib
import random
import re
import shlex
import subprocess
import sys
import tarfile
import tempfile
import zlib

BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'


def token(seed):
    """A GitHub token nobody ever had: random, with the right checksum."""
    body = ''.join(random.Random(seed).choices(BASE62, k=30))
    rest, check = zlib.crc32(body.encode()), ''
    for _ in range(6):
        rest, digit = divmod(rest, 62)
        check = BASE62[digit] + check
    return 'ghp_' + body + check


TOKENS = {'{{TOKEN}}': token(1), '{{TOKEN2}}': token(2)}


def fill(text, folder):
    for name, value in TOKENS.items():
        text = text.replace(name, value)
    return text.replace('{{HERE}}', str(folder))


def add(tar, name, data):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def make_image(folder, name, files):
    env = folder / 'env.txt'
    layers = []
    for file in files:
        layer = io.BytesIO()
        with tarfile.open(fileobj=layer, mode='w') as tar:
            add(tar, file, (folder / file).read_bytes())
        layers.append(layer.getvalue())
    digests = [hashlib.sha256(layer).hexdigest() for layer in layers]
    config = json.dumps({
        'architecture': 'amd64', 'os': 'linux',
        'config': {'Env': env.read_text().splitlines() if env.exists() else []},
        'history': [{'created_by': f'COPY {file} /{file}'} for file in files] +
                   [{'created_by': f'ENV {line}', 'empty_layer': True}
                    for line in (env.read_text().splitlines() if env.exists() else [])],
        'rootfs': {'type': 'layers', 'diff_ids': ['sha256:' + digest for digest in digests]}}).encode()
    config_name = hashlib.sha256(config).hexdigest() + '.json'
    with tarfile.open(folder / name, 'w') as tar:
        for digest, layer in zip(digests, layers):
            add(tar, digest + '.tar', layer)
        add(tar, config_name, config)
        add(tar, 'manifest.json', json.dumps([{'Config': config_name, 'RepoTags': ['shop/app:1'],
                                               'Layers': [digest + '.tar' for digest in digests]}]).encode())


def matches(expected, actual):
    pattern = ''
    for line in expected:
        if line.strip() == '...':
            pattern += '(?:.*\n)*?'
        else:
            pattern += '.*?'.join(re.escape(part) for part in line.split('{}')) + '\n'
    return re.fullmatch(pattern, actual) is not None


def run(page, program):
    problems = []
    with tempfile.TemporaryDirectory(dir=disk()) as scratch:
        folder = pathlib.Path(scratch)
        lines = page.read_text(encoding='utf-8').splitlines()
        at = 0
        while at < len(lines):
            line = lines[at]
            at += 1
            block = []
            if line.startswith('=== file '):
                while at < len(lines) and not re.match(r'(===|\$|#) ', lines[at]):
                    block.append(lines[at])
                    at += 1
                while block and not block[-1]:
                    block.pop()
                path = folder / line.split(' ', 2)[2]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(fill('\n'.join(block) + '\n', folder), encoding='utf-8')
            elif line.startswith('=== image '):
                name, *files = line.split()[2:]
                make_image(folder, name, files)
            elif line.startswith('$ '):
                start = at
                while at < len(lines) and not re.match(r'(===|\$|#) ', lines[at]):
                    block.append(lines[at])
                    at += 1
                while block and not block[-1]:
                    block.pop()
                code = 0
                if block and re.fullmatch(r'\[\d+\]', block[-1]):
                    code = int(block.pop()[1:-1])
                messages = [fill(one[2:], folder) for one in block if one.startswith('! ')]
                expected = [fill(one, folder) for one in block if not one.startswith('! ')]
                command, _, source = line[2:].partition(' < ')
                words = shlex.split(fill(command, folder))
                assert words[0] == os.path.basename(program), page
                env = {key: value for key, value in os.environ.items()
                       if key not in ('CI', 'NO_COLOR', 'CLICOLOR_FORCE', 'SCAN_SECRETS_CONFIG', 'SECRET_INJECTOR_CONFIG')}
                env.update(LANG='C.UTF-8', LC_ALL='C.UTF-8', COLUMNS='80', XDG_CACHE_HOME=str(folder / 'cache'), HOME=scratch)
                while words[1:] and re.match(r'[A-Z_]+=', words[1]):
                    name, value = words.pop(1).split('=', 1)
                    env[name] = value
                done = subprocess.run([program] + words[1:], cwd=folder, env=env, capture_output=True, timeout=120,
                                      stdin=open(folder / source.strip(), 'rb') if source else subprocess.DEVNULL)
                out, err = (stream.decode('utf-8', 'backslashreplace') for stream in (done.stdout, done.stderr))
                where = f'{page.name}:{start}'
                if done.returncode != code:
                    problems.append(f'{where}: ends with {done.returncode}, not {code}')
                if not matches(expected, out):
                    problems.append(f'{where}: prints\n{out}')
                missing = [one for one in messages if not any(matches([one], text + '\n') for text in err.splitlines())]
                if missing or (not messages and err):
                    problems.append(f'{where}: says\n{err}')
                if not re.search(r'--show-secrets', command):
                    for value in TOKENS.values():
                        if value in out + err:
                            problems.append(f'{where}: shows a secret')
    return problems


def disk():
    """A place that is no tmpfs, where there is one: what needs a tmpfs must say so on every machine."""
    for place in ('/tmp', '/var/tmp'):
        kind = subprocess.run(['stat', '-f', '-c', '%T', place], capture_output=True, text=True, check=False).stdout
        if kind.strip() not in ('tmpfs', ''):
            return place
    return None


def main():
    program, *names = sys.argv[1:]
    program = os.path.abspath(program)
    folder = pathlib.Path(__file__).parent
    if names[:1] == ['--pages']:
        folder = pathlib.Path(names[1])
        names = names[2:]
    pages = sorted(folder.glob('*.txt'))
    failed = 0
    for page in pages:
        if names and page.stem not in names:
            continue
        problems = run(page, program)
        failed += bool(problems)
        print('\n'.join(problems), end='\n' if problems else '')
    count = len(names) or len(pages)
    print(f'  {count - failed} passed, {failed} failed')
    return 1 if failed else 0


sys.exit(main())
