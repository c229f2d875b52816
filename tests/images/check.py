#!/usr/bin/python3
"""Holds the scanner against the images that make.py made.   usage: check.py SCAN_SECRETS OUTDIR

Runs `scan-secrets image` on every image, archives through a pipe too, and compares the JSON with expected.json: every
secret found in every place, with the right layer, line and state; no secret that was not planted; and the same findings
from every form of the same image."""
import json
import os
import posixpath
import subprocess
import sys
import tempfile

LAYER_KINDS = ('file', 'file_name', 'symlink_target')
SAME_IN_EVERY_FORM = (*LAYER_KINDS, 'env', 'label', 'cmd', 'entrypoint', 'history')
RULE = 'github'


class Scan:
    """One run of the scanner, and what is wrong with it."""

    def __init__(self, scanner, out, case, piped=False, more=()):
        self.name = case['name'] + (' (pipe)' if piped else '')
        self.case = case
        self.faults = []
        target = os.path.join(out, case['target'])
        environment = {k: v for k, v in os.environ.items() if k != 'CI'}
        with tempfile.TemporaryDirectory() as empty, open(target if piped else os.devnull, 'rb') as file:
            cat = subprocess.Popen(['cat'], stdin=file, stdout=subprocess.PIPE)
            done = subprocess.run([scanner, 'image', '-' if piped else target, '--format', 'json', '--show-secrets',
                                   *case['arguments'], *more], stdin=cat.stdout, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, timeout=120, env={**environment, 'TMPDIR': empty})
            cat.stdout.close()
            cat.wait()
            self.check(not os.listdir(empty), 'left files in TMPDIR')
        self.status = done.returncode
        try:
            self.report = json.loads(done.stdout)
        except ValueError:
            self.report = {'findings': [], 'complete': None}
            self.faults.append(f'no JSON; exit code {self.status}; {last_line(done.stderr)}')

    def check(self, holds, fault):
        if not holds:
            self.faults.append(fault)

    def places(self):
        """Every (finding, location) of the kind of secret that was planted."""
        for finding in self.report['findings']:
            if finding['rule'].startswith(RULE):
                for location in finding['locations']:
                    yield finding, location

    def compare(self):
        self.check(self.status == 1, f'exit code {self.status} instead of 1')
        if not self.case['unfinished']:
            skipped = self.report.get('coverage', {}).get('skipped', [])
            self.check(self.report['complete'] is True,
                       f'not complete: {"; ".join(s["reason"] + " " + s["place"] for s in skipped[:3])}')
        found = {}
        for finding, location in self.places():
            found.setdefault(key(finding['secret'], location), []).append(location)
        self._one_finding_each()
        wanted = {}
        for place in self.case['places']:
            wanted.setdefault(key(place['value'], place), []).append(place)
        for where, places in wanted.items():
            for place in places:
                self._compare_place(place, found.get(where, []))
        for where, locations in found.items():
            if where not in wanted and not self._stands_in_documents(where, locations):
                self.faults.append(f'unexpected: {where[1]} {where[2]} {locations[0].get("layer")}')

    def _one_finding_each(self):
        secrets = [f['secret'] for f in self.report['findings'] if f['rule'].startswith(RULE)]
        purposes = {p['value']: p['purpose'] for p in self.case['places']}
        for secret in sorted({s for s in secrets if secrets.count(s) > 1}):
            self.faults.append(f'more than one finding: {purposes.get(secret, "of a secret not planted")}')

    def _stands_in_documents(self, where, locations):
        """A secret of the configuration may be reported at further places of it, such as a legacy document."""
        return where[1] not in LAYER_KINDS and where[0] in self.case['documents'] and not locations[0]['layer']

    def _compare_place(self, place, locations):
        what = f'{place["purpose"]}: {place["kind"]} {place.get("path") or place.get("field", "")}'
        if not locations:
            self.faults.append('not found: ' + what)
            return
        differences = [difference(place, location) for location in locations]
        if all(differences):
            self.faults.append(f'{what}: {min(differences, key=len)}')


def key(value, place):
    """What makes two descriptions mean the same place. A path that holds the secret is shown redacted."""
    if place['kind'] not in LAYER_KINDS:
        return value, place['kind'], place.get('field', '') if place['kind'] in ('env', 'label', 'annotation') else '', \
            place.get('history_index')
    path = '' if place['kind'] == 'file_name' else posixpath.normpath(place['path']).lstrip('/')
    return value, place['kind'], path, tuple(place.get('inner', ())), place['layer']['index'], \
        place['offset'] if place['kind'] == 'file' else 0


def difference(place, location):
    """How a reported location differs from the truth; empty when it does not."""
    out = []

    def compare(name, truth, said):
        if truth != said:
            out.append(f'{name} is {truth!r}, reported as {said!r}')

    if place['kind'] == 'file':
        compare('line', place['line'], location['line'])
        compare('column', place['column'], location['column'])
    if place['kind'] in LAYER_KINDS:
        compare('state', place['state'], location['state'])
        compare('changed_in', place['changed_in'], location['changed_in'] or 0)
        compare('digest', place['layer']['digest'], location['layer']['digest'])
        compare('diff_id', place['layer']['diff_id'], location['layer']['diff_id'])
        if 'ghp_' not in place['layer']['created_by']:
            compare('created_by', place['layer']['created_by'].split(), location['layer']['created_by'].split())
    elif place.get('field'):
        compare('field', place['field'], location['field'])
    return ', '.join(out)


def last_line(text):
    lines = text.decode(errors='replace').strip().splitlines()
    return lines[-1] if lines else 'nothing on stderr'


def essence(scan):
    """What must be the same for every form of one image."""
    return {(f['rule'], f['fingerprint'], l['kind'], '' if l['kind'] not in LAYER_KINDS else l['path'], tuple(l['inner']),
             l['line'], l['state']) for f, l in scan.places() if l['kind'] in SAME_IN_EVERY_FORM}


def same_findings(scans):
    """Compares each scan of a family with the family's first."""
    first = {}
    for scan in scans:
        family = scan.case['family'], tuple(scan.case['arguments'])
        if scan.case['family'] == 'index':
            family = scan.case['name'].replace('.tar', ''), family
        one = first.setdefault(family, scan)
        missing, more = essence(one) - essence(scan), essence(scan) - essence(one)
        if missing or more:
            sample = sorted(missing or more)[0]
            scan.faults.append(f'{len(missing)} fewer and {len(more)} more places than {one.name}: {sample[2]} {sample[3]}')


def check_base(scanner, out, cases):
    """Layers of a base that was named are base, all others are the app's."""
    by_name = {case['name']: case for case in cases}
    if 'docker-save.tar' not in by_name or 'docker-save-base.tar' not in by_name:
        return []
    scan = Scan(scanner, out, by_name['docker-save.tar'],
                more=['--base', os.path.join(out, by_name['docker-save-base.tar']['target'])])
    scan.name += ' --base'
    scan.compare()
    layers = [layer['base'] for image in scan.report.get('images', []) for layer in image['layers']]
    scan.check(layers[:2] == ['base', 'base'] and set(layers[2:]) == {'app'}, f'layers are {layers}')
    return [scan]


def main(scanner, out):
    with open(os.path.join(out, 'expected.json'), encoding='utf-8') as file:
        expected = json.load(file)
    scans = []
    for case in expected['cases']:
        scans += [Scan(scanner, out, case, piped) for piped in ((False, True) if case['archive'] else (False,))]
    for scan in scans:
        scan.compare()
    same_findings(scans)
    scans += check_base(scanner, out, expected['cases'])
    for scan in scans:
        print(f'{"FAIL" if scan.faults else "ok"}   {scan.name}: {sum(1 for _ in scan.places())} places')
        for fault in scan.faults[:20]:
            print(f'       {fault}')
        if len(scan.faults) > 20:
            print(f'       and {len(scan.faults) - 20} more')
    for skip in expected['skipped']:
        print(f'skip {skip["name"]}: {skip["reason"]}')
    failed = sum(1 for scan in scans if scan.faults)
    print(f'{len(scans) - failed} passed, {failed} failed, {len(expected["skipped"])} skipped')
    return 1 if failed or not scans else 0


if __name__ == '__main__':
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
