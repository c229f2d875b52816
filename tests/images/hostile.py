#!/usr/bin/python3
"""Feeds the scanner broken, lying and oversized images.   usage: hostile.py SCAN_SECRETS [NAME...]

Whatever comes in: never "clean", never a crash, at most 60 s and 256 MiB, nothing left on disk, nothing opened outside
of the target, and the secrets of intact layers found. NAME runs the cases whose name contains it."""
import json
import os
import subprocess
import sys
import tempfile
import threading
import types

from hostile_cases import CASES, SECRETS

SECONDS = 60
RESIDENT = 256 << 20
WEIGH = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'weigh.py')


class Run:
    """One run of the scanner: its answer, and what it cost."""

    def __init__(self, scanner, arguments, folder, source=None):
        """`source` is an open file, or a generator whose pieces are piped in."""
        pieces = source if isinstance(source, types.GeneratorType) else None
        empty = os.path.join(folder, 'empty')
        os.makedirs(empty, exist_ok=True)
        environment = {k: v for k, v in os.environ.items() if k != 'CI'}
        cost, *names = (os.path.join(folder, name) for name in ('cost', 'stdout', 'stderr'))
        out, err = (open(name, 'w+b') for name in names)
        with out, err:
            process = subprocess.Popen([sys.executable, '-SE', WEIGH, cost, scanner, *arguments], stdout=out, stderr=err,
                                       cwd=empty, stdin=subprocess.PIPE if pieces else source or subprocess.DEVNULL,
                                       env={**environment, 'TMPDIR': empty}, start_new_session=True)
            killer = threading.Timer(SECONDS + 5, lambda: os.killpg(process.pid, 9))
            killer.start()
            self._feed(process, pieces)
            process.wait()
            killer.cancel()
            out.seek(0)
            err.seek(0)
            self.out, self.err = out.read(), err.read()
        self.status, self.seconds, self.resident = -9, SECONDS + 5, 0
        if process.returncode == 0:
            with open(cost, encoding='ascii') as file:
                weighed = json.load(file)
            self.status, self.seconds, self.resident = (weighed[name] for name in ('status', 'wall', 'resident'))
        self.left = os.listdir(empty)

    @staticmethod
    def _feed(process, pieces):
        if pieces is None:
            return
        try:
            with process.stdin as pipe:
                for piece in pieces:
                    pipe.write(piece)
        except BrokenPipeError:
            pass


def faults_of(case, run):
    """What is wrong with a run, as sentences."""
    if run.status < 0:
        yield f'killed by signal {-run.status} after {run.seconds:.0f} s'
        return
    if run.status not in case.exits:
        yield f'exit code {run.status}, not one of {case.exits}'
    if run.seconds > SECONDS:
        yield f'{run.seconds:.0f} s'
    if run.resident > RESIDENT:
        yield f'{run.resident >> 20} MiB resident'
    if run.left:
        yield 'left files behind'
    if any(secret.encode() in run.err for secret in SECRETS.values()):
        yield 'a secret on stderr'
    if b'\x1b' in run.err:
        yield 'an escape sequence on stderr'
    if run.status != 2:
        yield from faults_of_report(case, run.out)


def faults_of_report(case, out):
    try:
        report = json.loads(out)
    except ValueError as error:
        yield f'no JSON: {error}'
        return
    found = {finding['secret'] for finding in report['findings']}
    for name in case.found:
        if SECRETS[name] not in found:
            yield f'secret {name} not found'
    for name in case.gap:
        if SECRETS[name] not in found and report['complete']:
            yield f'secret {name} not found, and the scan says that it is complete'
    if SECRETS['outside'] in found:
        yield 'read a file outside of the target'
    if case.complete is not None and report['complete'] is not case.complete:
        yield f'complete is {report["complete"]}: {[s["reason"] for s in report["coverage"]["skipped"]][:3]}'
    if not report['complete'] and not report['coverage']['skipped']:
        yield 'incomplete without a reason'


def runs_of(scanner, case, folder):
    """Every way in which a case's image can be read, by name."""
    made = case.make()
    options = ['--format', 'json', '--show-secrets']
    if isinstance(made, bytes):
        path = os.path.join(folder, 'image')
        with open(path, 'wb') as file:
            file.write(made)
        del made
        yield 'file', Run(scanner, ['image', path, *options], folder)
        with open(path, 'rb') as file, subprocess.Popen(['cat'], stdin=file, stdout=subprocess.PIPE) as cat:
            yield 'pipe', Run(scanner, ['image', '-', *options], folder, cat.stdout)
    elif isinstance(made, types.GeneratorType):
        yield 'pipe', Run(scanner, ['image', '-', *options], folder, made)
    else:
        path = os.path.join(folder, 'layout')
        os.makedirs(path)
        made(path)
        yield 'directory', Run(scanner, ['image', path, *options], folder)


def check_text(scanner, folder):
    """The names of files reach a terminal, so the text report must make them harmless."""
    for case in CASES:
        if case.name.startswith('name '):
            path = os.path.join(folder, 'image')
            with open(path, 'wb') as file:
                file.write(case.make())
            out = Run(scanner, ['image', path], folder).out
            if any(byte in out for byte in (b'\x1b', b'\x07', b'\x9b31m', b'\r', '\u202e'.encode())):
                yield f'{case.name}: control characters in the text report'
            if any(secret.encode() in out for secret in SECRETS.values()):
                yield f'{case.name}: a raw secret in the text report'


def main(scanner, names):
    passed = failed = 0

    def told(name, faults, cost=''):
        nonlocal passed, failed
        print(f'{"FAIL" if faults else "ok"}   {name}{cost}', flush=True)
        for fault in faults:
            print(f'       {fault}')
        passed, failed = (passed, failed + 1) if faults else (passed + 1, failed)

    scanner = os.path.abspath(scanner)
    for case in CASES:
        if names and not any(name in case.name for name in names):
            continue
        with tempfile.TemporaryDirectory() as folder:
            for way, run in runs_of(scanner, case, folder):
                told(f'{case.name} ({way})', list(faults_of(case, run)),
                     f': exit {run.status}, {run.seconds:.1f} s, {run.resident >> 20} MiB')
    if not names:
        with tempfile.TemporaryDirectory() as folder:
            told('names in the text report', list(check_text(scanner, folder)))
            missing = Run(scanner, ['image', os.path.join(folder, 'missing')], folder)
            told('target that does not exist', [] if missing.status == 2 else [f'exit code {missing.status}, not 2'])
    print(f'{passed} passed, {failed} failed, 0 skipped')
    return 1 if failed or not passed else 0


if __name__ == '__main__':
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
