#!/usr/bin/python3
"""Renders every template of render/template/cases with secret-injector and with the real `bao agent`, and compares bytes.

usage: template_test.py SECRET_INJECTOR BAO [CASES...]

A case begins with a line "--- NAME", which may go on with " | OPTION, OPTION...":
  missing         error_on_missing_key
  left=X right=Y  delimiters
  escaped         the text is a Python string's inside: \\r, \\x00, a line's end at its end
  differs: WHY    we render something else, or are the only ones to render or to refuse it, for this reason; last of all
Its template is what follows, without the last line's end. Where the real agent fails, ours must fail.
"""
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from bao import Bao, program_of  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent / 'render/template'

# What stands in the store: JSON as it is sent, for KV 1 keeps numbers as they were written.
KV1 = {
    'kv1/app': '{"user": "shop", "password": "p\'a\\"s<s>&w\\\\ord", "port": 5432, "ratio": 1.10, "big": 9007199254740993, '
               '"exp": 1e3, "neg": -7, "zero": 0, "yes": true, "no": false, "nothing": null, "empty": "", '
               '"list": ["a", "b", 3, null, true], "ports": [80, 443], "nested": {"b": {"c": "deep"}, "a": 1, "B": "upper"}, '
               '"hosts": [{"name": "a", "port": 1}, {"name": "b", "port": 2}], "none": [], "no_members": {}, '
               '"uni": "h\\u00e9llo \\u4e16\\u754c \\ud83d\\ude00 \\u2028", "lines": "one\\ntwo\\n\\nfour\\n", '
               '"spaces": "  padded\\t\\n", "json": "{\\"k\\": [1, 2.5, true, null]}", "csv": "b,a,,c", '
               '"pairs": "a=1;b=2;c", "b64": "aGVsbG8=", "dashed-key": "dash", "digits": "00123"}',
    'kv1/list/one': '{"name": "one"}',
    'kv1/list/two': '{"name": "two"}',
    'kv1/list/deep/three': '{"name": "three"}',
}
KV2 = {
    'secret/app': '{"user": "shop", "password": "s3cr3t/+=", "port": 5432, "ratio": 1.5, "tags": ["x", "y"], '
                  '"nested": {"k": "v", "n": {"m": 1}}, "flag": true, "off": false, "nothing": null, "empty": "", '
                  '"pem": "-----BEGIN X-----\\nAAAA\\nBBBB\\n-----END X-----\\n", "url": "https://u:p@h/?a=b&c=d"}',
    'secret/db/main': '{"username": "root", "password": "toor"}',
    'secret/db/replica': '{"username": "ro", "password": "orot"}',
    'secret/old': '{"v": "second"}',
}
LISTS = ('kv1/list', 'secret/metadata/db', 'secret/metadata/')


class Case:
    def __init__(self, place, title, body):
        name, _, options = title.partition(' | ')
        self.name = f'{place}: {name}'
        before, differs, why = options.partition('differs: ')
        self.differs = why if differs else None
        words = [word.strip(' ,') for word in before.split()]
        self.missing = 'missing' in words
        self.left = next((word[5:] for word in words if word.startswith('left=')), '')
        self.right = next((word[6:] for word in words if word.startswith('right=')), '')
        self.text = body.encode().decode('unicode_escape').encode('latin-1') if 'escaped' in words else body.encode()


def load(paths):
    cases = []
    for path in paths:
        parts = re.split(r'^--- (.*)\n', path.read_text(), flags=re.M)
        for title, body in zip(parts[1::2], parts[2::2]):
            cases.append(Case(path.stem, title, body[:-1] if body.endswith('\n') else body))
    return cases


def raw_loads(text):
    """JSON whose numbers stay as they are written."""
    return json.loads(text, parse_float=lambda s: '\0' + s, parse_int=lambda s: '\0' + s)


def raw_dumps(value):
    return re.sub(r'"\\u0000([^"]*)"', r'\1', json.dumps(value))


class Store:
    """A real server with those values, and what ours is told of them."""

    def __init__(self, binary, folder):
        self.bao = Bao(binary, folder)
        self.call('POST', 'sys/mounts/kv1', '{"type": "kv", "options": {"version": "1"}}')
        self.call('POST', 'secret/data/old', '{"data": {"v": "first"}}')
        for path, text in KV1.items():
            self.call('POST', path, text)
        for path, text in KV2.items():
            mount, _, rest = path.partition('/')
            self.call('POST', f'{mount}/data/{rest}', '{"data": %s}' % text)
        values = {path: self.data('GET', path) for path in KV1}
        for path in KV2:
            mount, _, rest = path.partition('/')
            values[path] = self.data('GET', f'{mount}/data/{rest}')
        values['secret/old?version=1'] = self.data('GET', 'secret/data/old?version=1')
        for path in LISTS:
            values[path.replace('/metadata', '').strip('/') + '/'] = self.data('LIST', path)
        self.values = folder / 'values.json'
        self.values.write_text(raw_dumps(values))

    def call(self, method, path, body=None):
        import http.client
        connection = http.client.HTTPSConnection('localhost', self.bao.port, context=self.bao.context, timeout=10)
        connection.request(method, '/v1/' + path, body, {'X-Vault-Token': 'root'})
        answer = connection.getresponse()
        text = answer.read().decode()
        assert answer.status < 300, (method, path, answer.status, text)
        connection.close()
        return text

    def data(self, method, path):
        return raw_loads(self.call(method, path))['data']


def ours(program, store, folder, number, case):
    path = folder / f'{number}.tpl'
    path.write_bytes(case.text)
    command = [program, 'render', '--template', str(path), '--values', str(store.values)]
    if case.left:
        command += ['--left-delimiter', case.left]
    if case.right:
        command += ['--right-delimiter', case.right]
    if case.missing:
        command += ['--error-on-missing-key']
    done = subprocess.run(command, capture_output=True, timeout=20, check=False)
    assert done.returncode in (0, 1, 2), f'{case.name}: ended with {done.returncode}'
    return (done.stdout if done.returncode == 0 else None), done.stderr.decode()


def theirs(program, store, folder, numbers, cases, label):
    """One agent for these cases; what it wrote, by number, and its log."""
    token = folder / 'root-token'
    token.write_text('root')
    text = (f'vault {{\n  address = "https://localhost:{store.bao.port}"\n  ca_cert = "{store.bao.folder}/vault-ca.pem"\n'
            '  retry { num_retries = -1 }\n}\n'
            f'auto_auth {{\n  method "token_file" {{ config = {{ token_file_path = "{token}" }} }}\n}}\n'
            'exit_after_auth = true\ntemplate_config { exit_on_retry_failure = true }\n')
    for number in numbers:
        case = cases[number]
        text += f'template {{\n  source = "{folder}/{number}.tpl"\n  destination = "{folder}/{label}.{number}.out"\n'
        if case.missing:
            text += '  error_on_missing_key = true\n'
        if case.left:
            text += f'  left_delimiter = {json.dumps(case.left)}\n'
        if case.right:
            text += f'  right_delimiter = {json.dumps(case.right)}\n'
        text += '}\n'
    config = folder / f'{label}.hcl'
    config.write_text(text)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(('BAO_', 'VAULT_'))}
    done = subprocess.run([program, 'agent', f'-config={config}'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=60, check=False, env=environment)
    out = {}
    for number in numbers:
        path = folder / f'{label}.{number}.out'
        if path.exists():
            out[number] = path.read_bytes()
    return out, done.stdout.decode(errors='replace')


def all_of_theirs(program, store, folder, cases, likely):
    """Those that are likely to be well in one agent, the others each in one of its own; what fails there leaves it."""
    out = {}
    logs = {}
    alone = [number for number in range(len(cases)) if number not in likely]
    together = sorted(likely)
    for turn in range(100):
        if not together:
            break
        made, log = theirs(program, store, folder, together, cases, f'all{turn}')
        if len(made) == len(together):
            out.update(made)
            break
        bad = {int(number) for number in re.findall(r'/(\d+)\.tpl: (?:execute|parse)', log)}
        bad |= {int(number) for number in re.findall(r'/(\d+)\.tpl"', log)} if not bad else set()
        assert bad, log[-3000:]
        alone += sorted(bad)
        together = [number for number in together if number not in bad]
    with concurrent.futures.ThreadPoolExecutor(max(2, os.cpu_count() or 2)) as pool:
        for number, (made, log) in zip(alone, pool.map(
                lambda number: theirs(program, store, folder, [number], cases, f'one{number}'), alone)):
            out.update(made)
            logs[number] = log
    return out, logs


def main():
    program, bao = sys.argv[1], program_of(sys.argv[2])
    paths = [pathlib.Path(path) for path in sys.argv[3:]] or sorted((HERE / 'cases').glob('*.txt'))
    cases = load(paths)
    begun = time.monotonic()
    failed = 0
    with tempfile.TemporaryDirectory(prefix='template-test-') as name:
        folder = pathlib.Path(name)
        store = Store(bao, folder)
        try:
            with concurrent.futures.ThreadPoolExecutor(max(2, os.cpu_count() or 2)) as pool:
                mine = list(pool.map(lambda pair: ours(program, store, folder, *pair), enumerate(cases)))
            likely = {i for i, case in enumerate(cases) if mine[i][0] is not None and not case.differs}
            real, logs = all_of_theirs(bao, store, folder, cases, likely)
        finally:
            store.bao.stop()
    rendered = refused = differing = 0
    for number, case in enumerate(cases):
        got, complaint = mine[number]
        wanted = real.get(number)
        if case.differs is not None:
            if got != wanted:
                differing += 1
                continue
            problem = 'is said to differ, and does not'
        elif got == wanted:
            rendered += wanted is not None
            refused += wanted is None
            continue
        elif wanted is None:
            found = re.search(r'(?:execute|parse): (.*?)" backoff', logs.get(number, ''))
            problem = f'is rendered by us alone: {got!r}\n    theirs: {found.group(1) if found else "?"}'
        elif got is None:
            problem = f'is refused by us alone: {complaint.strip()}\n    theirs: {wanted!r}'
        else:
            problem = f'differs\n    ours:   {got!r}\n    theirs: {wanted!r}'
        failed += 1
        print(f'FAILED {case.name}: {problem}\n    {case.text!r}')
    print(f'{rendered} templates rendered alike, {refused} refused by both, {differing} differ for a stated reason, '
          f'in {time.monotonic() - begun:.0f} s')
    print(f'  {len(cases) - failed} passed, {failed} failed')
    return 1 if failed or not cases else 0


if __name__ == '__main__':
    sys.exit(main())
