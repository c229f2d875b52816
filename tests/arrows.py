#!/usr/bin/python3
"""Checks that includes follow the arrows of the design, and that each third-party library has one home.

usage: arrows.py ROOT
"""
import pathlib
import re
import sys

ARROWS = {
    'base': set(),
    'model': {'base'},
    'unpack': {'model', 'base'},
    'rules': {'model', 'base'},
    'match': {'model', 'base'},
    'judge': {'model', 'base'},
    'report': {'model', 'base'},
    'source': {'unpack', 'model', 'base'},
    'scan': {'source', 'unpack', 'match', 'judge', 'model', 'base'},
    'builtin': {'rules', 'match', 'judge', 'model', 'base'},
    'cli': {'scan', 'source', 'unpack', 'match', 'judge', 'report', 'rules', 'builtin', 'model', 'base'},
}
HOMES = {
    r'hs\.h|hs/': {'match'},
    r'pcre2': {'judge', 'rules'},
    r'archive|isa-l|zstd': {'unpack'},
    r'openssl/|nlohmann/': {'base'},
    r'toml\+\+': {'rules'},
    r'CLI/': {'cli'},
}


def main():
    root = pathlib.Path(sys.argv[1])
    problems, files = [], 0
    for path in sorted((root / 'scanner').rglob('*')):
        if path.suffix not in ('.h', '.cpp'):
            continue
        files += 1
        room = path.relative_to(root / 'scanner').parts[0]
        if room not in ARROWS:
            problems.append(f'{path.relative_to(root)}: no such room in the design')
            continue
        for number, line in enumerate(path.read_text(encoding='utf-8').splitlines(), 1):
            found = re.match(r'\s*#include\s+(["<])([^">]+)', line)
            if not found:
                continue
            included = found.group(2)
            where = f'{path.relative_to(root)}:{number}'
            if included.startswith('scanner/'):
                other = included.split('/')[1]
                if other != room and other not in ARROWS[room]:
                    problems.append(f'{where}: {room} may not include {other}')
            elif found.group(1) == '"':
                problems.append(f'{where}: {included} is not named from the root')
            for pattern, homes in HOMES.items():
                if found.group(1) == '<' and re.match(pattern, included) and room not in homes:
                    problems.append(f'{where}: {included} belongs into {"/".join(sorted(homes))}')
    print('\n'.join(problems))
    print(f'{files - len({p.split(":")[0] for p in problems})} passed, {len({p.split(":")[0] for p in problems})} failed')
    return 1 if problems or files == 0 else 0


sys.exit(main())
