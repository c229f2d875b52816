#!/usr/bin/python3
"""Injection in a real cluster: Kubernetes 1.37 of one node, OpenBao, the chart, the kustomize base, our own images.

usage: cluster_test.py PROGRAMS [--only PATTERN] [--shell]

PROGRAMS: the folder of secret-injector and secret-webhook. --only: tests by name, a regular expression; --shell: instead of the
tests, a shell where kubectl, helm and all of the above work. What the cluster is made of is built once
(about 12 minutes of one core) and kept in ${XDG_CACHE_HOME:-~/.cache}/scan-secrets-tests.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import time
import traceback

import cluster
import manifests
import measure
import operations
import pods
import tools
from place import Place, Skipped

AT_ONCE = 4


def run(place, test, results):
    begun = time.monotonic()
    try:
        test(place)
        word, text = 'passed', f'  ok      {test.__name__} ({time.monotonic() - begun:.1f} s)'
    except Skipped as reason:
        word, text = 'skipped', f'  SKIPPED: {test.__name__}: {reason}'
    except Exception:  # noqa: BLE001
        told = traceback.format_exc()
        if len(told) > 7000:
            told = told[:3000] + '\n[...]\n' + told[-4000:]
        word, text = 'failed', f'  FAILED  {test.__name__} ({time.monotonic() - begun:.1f} s)\n{told}'
    results[word] += 1
    print(text, flush=True)


def tests(options):
    results = {'passed': 0, 'failed': 0, 'skipped': 0}
    chosen = [[t for t in module.TESTS if re.search(options.only, t.__name__)] for module in (manifests, pods, operations, measure)]
    place = Place(pathlib.Path(options.programs).resolve())
    try:
        begun = time.monotonic()
        place.install()
        print(f'  the chart was installed in {time.monotonic() - begun:.1f} s', flush=True)
        if options.shell:
            return subprocess.run([os.environ.get('SHELL', 'sh')], check=False).returncode
        together, alone = chosen[0] + chosen[1], chosen[3] + chosen[2]   # what measures, before all is taken apart
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda test: run(place, test, results), together))
        for test in alone:
            run(place, test, results)
    finally:
        place.close()
    print('  {passed} passed, {failed} failed, {skipped} skipped'.format(**results))
    return 1 if results['failed'] or not results['passed'] else 0


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument('programs')
    arguments.add_argument('--only', default='')
    arguments.add_argument('--shell', action='store_true')
    options = arguments.parse_args()
    if cluster.MARK in os.environ:
        return tests(options)
    try:
        cluster.possible()
    except cluster.Impossible as reason:
        every = [t for module in (manifests, pods, operations, measure) for t in module.TESTS]
        print(f'  SKIPPED: the cluster: {reason}')
        print(f'  0 passed, 0 failed, {len(every)} skipped')
        return 0
    begun = time.monotonic()
    tools.kubernetes()
    tools.clients()
    tools.openbao()
    tools.moto()
    print(f'  what the cluster is made of: {time.monotonic() - begun:.0f} s', flush=True)
    return cluster.inside(sys.argv)


if __name__ == '__main__':
    sys.exit(main())
