#!/usr/bin/python3
"""Whether a second JSON Patch engine makes of each pod what the first one did.

usage: patches.py CASES    one JSON object a line: pod, patch, after
"""
import json
import sys

import jsonpatch

different = count = 0
with open(sys.argv[1], encoding='utf-8') as cases:
    for number, line in enumerate(cases):
        case = json.loads(line)
        count += 1
        try:
            same = jsonpatch.JsonPatch(case['patch']).apply(case['pod'], in_place=True) == case['after']
        except (jsonpatch.JsonPatchException, ValueError) as error:
            print(f'case {number}: {type(error).__name__}: {error}')
            same = False
        if not same:
            different += 1
            print(f'case {number} differs: {line[:2000]}')
print(f'{count} patches applied by a second engine, {different} differ')
sys.exit(1 if different or not count else 0)
