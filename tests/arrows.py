#!/usr/bin/python3
"""Checks that includes follow the arrows of the design, and that each third-party library has one home.

usage: arrows.py ROOT
"""
import pathlib
import re
import sys

NOUNS = {'model', 'base'}
SCANNER = {
    'base': set(),
    'model': {'base'},
    'unpack': NOUNS,
    'rules': NOUNS,
    'match': NOUNS,
    'judge': NOUNS,
    'report': NOUNS,
    'source': {'unpack'} | NOUNS,
    'scan': {'source', 'unpack', 'match', 'judge'} | NOUNS,
    'builtin': {'rules', 'match', 'judge'} | NOUNS,
    'cli': {'scan', 'source', 'unpack', 'match', 'judge', 'report', 'rules', 'builtin'} | NOUNS,
}
VALUES = {'model', 'memory'}
STORE = {'backend', 'net', 'config'} | VALUES
INJECTOR = {
    'memory': set(),
    'model': {'memory'},
    'telemetry': set(),
    'net': VALUES,
    'config': {'render/template'} | VALUES,
    'render/template': VALUES,
    'render': {'render/template'} | VALUES,
    'deliver': VALUES,
    'backend': {'net'} | VALUES,
    'backend/vault': STORE,
    'backend/aws': STORE,
    'backend/file': STORE,
    'watch': {'backend', 'net', 'config', 'render', 'deliver', 'telemetry'} | VALUES,
    'pod': {'config', 'render/template'} | VALUES,
    'webhook': {'pod', 'net', 'telemetry'} | VALUES,
    'cli': {'watch', 'backend', 'backend/vault', 'backend/aws', 'backend/file', 'net', 'config', 'render',
            'render/template', 'deliver', 'pod', 'telemetry'} | VALUES,
}
ARROWS = {'scanner': SCANNER, 'injector': INJECTOR}
HOMES = {
    r'hs\.h|hs/': {'match'},
    r'pcre2': {'judge', 'rules'},
    r'archive|isa-l|zstd': {'unpack'},
    r'openssl/': {'base', 'net', 'memory', 'webhook'},
    r'nlohmann/': {'base', 'pod', 'webhook'},
    r'toml\+\+': {'rules'},
    r'CLI/': {'cli', 'webhook'},
    r'curl/': {'net'},
    r'yaml\.h': {'config', 'pod'},
    r'boost/': {'net', 'backend', 'backend/vault', 'backend/aws', 'backend/file', 'watch', 'cli',
               'webhook'},
}


def room_of(path):
    """The room of "injector/backend/vault/login.h" is backend/vault; rooms of main programs belong to cli."""
    parts = path.split('/')
    inner = '/'.join(parts[1:3])
    return inner if len(parts) > 3 and inner in ARROWS[parts[0]] else parts[1]


def main():
    root = pathlib.Path(sys.argv[1])
    problems, files = [], 0
    for path in sorted([*(root / 'scanner').rglob('*'), *(root / 'injector').rglob('*')]):
        if path.suffix not in ('.h', '.cpp'):
            continue
        files += 1
        name = str(path.relative_to(root))
        half = name.split('/')[0]
        room = room_of(name)
        if room not in ARROWS[half]:
            problems.append(f'{name}: no such room in the design')
            continue
        for number, line in enumerate(path.read_text(encoding='utf-8').splitlines(), 1):
            found = re.match(r'\s*#include\s+(["<])([^">]+)', line)
            if not found:
                continue
            included = found.group(2)
            where = f'{name}:{number}'
            other_half = included.split('/')[0]
            if other_half == half:
                other = room_of(included)
                if other != room and other not in ARROWS[half][room]:
                    problems.append(f'{where}: {room} may not include {other}')
            elif half == 'injector' and other_half == 'scanner':
                if not included.startswith('scanner/base/'):
                    problems.append(f'{where}: of the scanner only base is for the injector')
            elif found.group(1) == '"':
                problems.append(f'{where}: {included} is not named from the root')
            for pattern, homes in HOMES.items():
                if found.group(1) == '<' and re.match(pattern, included) and room not in homes:
                    problems.append(f'{where}: {included} belongs into {"/".join(sorted(homes))}')
    bad = len({p.split(':')[0] for p in problems})
    print('\n'.join(problems))
    print(f'{files - bad} passed, {bad} failed')
    return 1 if problems or files == 0 else 0


sys.exit(main())
