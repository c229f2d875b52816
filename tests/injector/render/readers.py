#!/usr/bin/python3
"""Reads rendered files with the programs that will read them, and compares with what went in.

usage: readers.py FOLDER    FOLDER/N.values is JSON {name: hex of the value}; FOLDER/N.{env,properties,yaml} the files
"""
import json
import pathlib
import subprocess
import sys

import dotenv
import javaproperties
import yaml

problems = []
counts = {'bash': 0, 'sh': 0, 'python-dotenv': 0, 'not for python-dotenv': 0, 'javaproperties': 0, 'yaml': 0}


def check(path, reader, expected, got):
    counts[reader] += 1
    for name in expected.keys() | got.keys():
        if expected.get(name) != got.get(name):
            problems.append(f'{path}: {reader} reads {name!r} as {got.get(name)!r}, not {expected.get(name)!r}')


def shell(program, path):
    out = subprocess.run([program, '-c', 'set -a; . "$1"; exec /usr/bin/env -0', program, str(path)],
                         env={'LC_ALL': 'C'}, capture_output=True, check=True)
    if out.stderr:
        problems.append(f'{path}: {program} says {out.stderr[:200]!r}')
    pairs = (each.split(b'=', 1) for each in out.stdout.split(b'\0') if each)
    return {name.decode(): value for name, value in pairs if name not in (b'LC_ALL', b'PWD', b'SHLVL', b'_', b'OLDPWD')}


for values in sorted(pathlib.Path(sys.argv[1]).glob('*.values')):
    expected = {name: bytes.fromhex(value) for name, value in json.loads(values.read_text()).items()}
    env = values.with_suffix('.env')
    if env.exists():
        for program in ('bash', 'sh'):
            check(env, program, expected, shell(program, env))
        alike = all(
            b'\r' not in value  # It reads in text mode: a carriage return cannot come through.
            and not value.endswith(b'\\') and not ((b"'" in value or b'\\\\' in value) and (b'$' in value or b'`' in value))
            for value in expected.values())
        try:
            text = {name: value.decode('utf-8') for name, value in expected.items()}
        except UnicodeDecodeError:
            alike = False
        if alike:
            check(env, 'python-dotenv', text, dotenv.dotenv_values(env, interpolate=False))
        else:
            counts['not for python-dotenv'] += 1
    properties = values.with_suffix('.properties')
    if properties.exists():
        raw = properties.read_bytes()
        raw.decode('ascii')
        check(properties, 'javaproperties', {n: v.decode() for n, v in expected.items()}, javaproperties.loads(raw))
    document = values.with_suffix('.yaml')
    if document.exists():
        raw = document.read_bytes()
        for loader in (yaml.SafeLoader, getattr(yaml, 'CSafeLoader', yaml.SafeLoader)):
            check(document, 'yaml', {n: v.decode() for n, v in expected.items()}, yaml.load(raw, loader))

for path in sorted(pathlib.Path(sys.argv[1]).glob('*.nested.json')):
    wanted = json.loads(path.read_text(encoding='utf-8'))
    counts['yaml'] += 1
    for loader in (yaml.SafeLoader, getattr(yaml, 'CSafeLoader', yaml.SafeLoader)):
        got = yaml.load(path.with_suffix('').with_suffix('.yaml').read_bytes(), loader)
        # By their text, so that 1 is not True and 1.0 is not 1.
        if repr(got) != repr({key: wanted[key] for key in sorted(wanted)}) and got != wanted:
            problems.append(f'{path}: yaml reads {got!r}, not {wanted!r}')

print('\n'.join(problems[:30]) if problems else ', '.join(f'{name} {count}' for name, count in counts.items()))
sys.exit(1 if problems or 0 in counts.values() else 0)
