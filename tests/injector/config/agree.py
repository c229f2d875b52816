#!/usr/bin/python3
"""Whether the published JSON Schema says of each configuration what the parser said.

usage: agree.py SCHEMA FOLDER    FOLDER holds *.good and *.bad, as the parser judged them
"""
import json
import pathlib
import sys

import jsonschema
import yaml

schema = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding='utf-8'))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
problems, good, bad = [], 0, 0


def undescribed(node, path):
    for name, member in node.get('properties', {}).items():
        if 'description' not in member:
            yield f'{path}/{name}'
        yield from undescribed(member, f'{path}/{name}')
    for name in ('items', 'additionalProperties'):
        if isinstance(node.get(name), dict):
            yield from undescribed(node[name], f'{path}/{name}')
    for way in node.get('oneOf', []):
        yield from undescribed(way, path)


problems += [f'{where} has no description' for where in undescribed(schema, '')]
for path in sorted(pathlib.Path(sys.argv[2]).iterdir()):
    errors = list(validator.iter_errors(yaml.load(path.read_bytes(), getattr(yaml, 'CSafeLoader', yaml.SafeLoader))))
    if path.suffix == '.good':
        good += 1
        problems += [f'{path.name}: the schema refuses {"/".join(map(str, e.absolute_path))}: {e.message[:200]}' for e in errors]
    else:
        bad += 1
        if not errors:
            problems.append(f'{path.name}: the schema takes {path.read_text(encoding="utf-8")[-300:]}')
print('\n'.join(problems[:40]) if problems else f'{good} good and {bad} bad configurations judged alike')
sys.exit(1 if problems or not good or not bad else 0)
