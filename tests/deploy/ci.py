#!/usr/bin/python3
"""Takes the command out of each file in deploy/ci and runs it as that system would, with a real Docker engine and the
scanner's own image, on images that are clean, leaky, and not to be looked at whole.

usage: ci.py SCAN_SECRETS IMAGES     (as root; IMAGES: the folder that images.py --save wrote)
"""
import contextlib
import gzip
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time

import yaml

from sheet import Sheet, Skip, check

ROOT = pathlib.Path(__file__).resolve().parents[2]
CI = ROOT / 'deploy/ci'
SCANNER = 'localhost/scan-secrets:0.1.0'
KEY = 'AKIA' + hashlib.sha256(b'ci').hexdigest()[:16].upper().translate(str.maketrans('0189', 'ABCD'))


def within(count, content):
    """An archive in an archive in an archive."""
    return within(count - 1, gzip.compress(content, mtime=0)) if count else content


# Image -> its file, and what the scanner says of it.
IMAGES = {
    'clean': ('app/readme.txt', b'Nothing to see here.\n', 0),
    'leaky': ('app/.env', f'AWS_ACCESS_KEY_ID={KEY}\n'.encode(), 1),
    'unreadable': ('app/data.gz', within(20, b'too deep'), 3),
}


class Engine:
    """A Docker engine of our own, without a network."""

    def __init__(self, place):
        for tool in ('dockerd', 'docker', 'containerd', 'runc'):
            if not shutil.which(tool):
                raise Skip(f'{tool} is not installed')
        if os.getuid() != 0:
            raise Skip('needs root')
        self.log = open(place / 'log', 'wb')
        self.environment = dict(os.environ, DOCKER_HOST=f'unix://{place}/socket', SCAN_SECRETS=SCANNER)
        self.process = subprocess.Popen(
            ['dockerd', '--data-root', place / 'data', '--exec-root', place / 'exec', '--pidfile', place / 'pid', '-H',
             f'unix://{place}/socket', '--iptables=false', '--ip6tables=false', '--bridge=none'], stdout=self.log,
            stderr=self.log, start_new_session=True)
        for _ in range(300):
            if subprocess.run(['docker', 'version'], env=self.environment, capture_output=True, check=False).returncode == 0:
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        self.stop()
        raise Skip('dockerd does not start here: ' + (place / 'log').read_text(errors='replace')[-300:].strip())

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()

    def load(self, archive):
        done = subprocess.run(['docker', 'load', '-i', archive], env=self.environment, capture_output=True, text=True, check=False)
        check(done.returncode == 0, done.stderr)


def make_image(folder, name, path, content):
    """An archive as `docker save` writes it."""
    work = folder / f'{name}.work'
    (work / path).parent.mkdir(parents=True)
    (work / path).write_bytes(content)
    with tarfile.open(work / 'layer.tar', 'w') as tar:
        tar.add(work / path, path)
    diff = 'sha256:' + hashlib.sha256((work / 'layer.tar').read_bytes()).hexdigest()
    (work / 'config.json').write_text(json.dumps({
        'architecture': 'amd64', 'os': 'linux', 'config': {'Cmd': ['/app']}, 'rootfs': {'type': 'layers', 'diff_ids': [diff]},
        'history': [{'created': '2026-01-01T00:00:00Z', 'created_by': 'COPY app /app'}]}))
    (work / 'manifest.json').write_text(json.dumps([{'Config': 'config.json', 'RepoTags': [f'app:{name}'], 'Layers': ['layer.tar']}]))
    with tarfile.open(folder / f'{name}.tar', 'w') as tar:
        for member in ('config.json', 'layer.tar', 'manifest.json'):
            tar.add(work / member, member)
    return folder / f'{name}.tar'


def of_github():
    steps = yaml.safe_load((CI / 'github-actions.yml').read_text())['jobs']['image']['steps']
    return next(step['run'] for step in steps if step.get('name') == 'Look for secrets')


def of_gitlab():
    script = yaml.safe_load((CI / 'gitlab-ci.yml').read_text())['scan-secrets']['script']
    check(len(script) == 1, 'more than one command')
    return script[0]


def of_jenkins():
    stage = re.search(r"stage\('Look for secrets'\).*?sh '''(.*?)'''", (CI / 'Jenkinsfile').read_text(), re.S)
    return stage[1].replace('\\\n', '')


# System -> its command, and the shell that runs it there.
SYSTEMS = {
    'GitHub Actions': (of_github, ['bash', '--noprofile', '--norc', '-eo', 'pipefail']),
    'GitLab': (of_gitlab, ['busybox', 'sh', '-eo', 'pipefail']),
    'Jenkins': (of_jenkins, ['sh', '-xe']),
}


def check_report(path, expected):
    report = json.loads(path.read_text())
    results = report['runs'][0]['results']
    check(bool(results) == (expected == 1), f'{len(results)} results in the report')


def check_command(engine, command, shell, image, expected):
    """Ends as the scanner ends, with the report where the next step takes it from."""
    with tempfile.TemporaryDirectory() as folder:
        script = pathlib.Path(folder) / 'step.sh'
        script.write_text(command)
        done = subprocess.run([*shell, script], cwd=folder, env=dict(engine.environment, IMAGE=f'app:{image}'),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False)
        text = done.stdout.decode(errors='replace')
        if expected is None:
            check(done.returncode != 0, 'an image that is not there passes')
            return
        check(done.returncode == expected, f'exit code {done.returncode}, not {expected}:\n{text[-2000:]}')
        check(KEY not in text, 'the secret stands in the log')
        check_report(pathlib.Path(folder) / 'scan-secrets.sarif', expected)


def check_tekton(engine, archive, expected):
    """The step as Tekton runs it: the image's own entrypoint, the workspace mounted, the Task's own securityContext."""
    step = yaml.safe_load((CI / 'tekton-task.yaml').read_text())['spec']['steps'][0]
    check('script' not in step and 'command' not in step, 'the image has no shell')
    check(step['image'] == '$(params.scanner)', step['image'])
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        shutil.copy(archive, f'{folder}/image.tar')
        os.chmod(f'{folder}/image.tar', 0o644)
        arguments = [argument.replace('$(workspaces.source.path)', '/workspace/source').replace('$(params.image)', 'image.tar')
                     for argument in step['args']]
        user = step['securityContext']['runAsUser']
        done = subprocess.run(['docker', 'run', '--rm', '--network', 'none', '--read-only', '--cap-drop', 'ALL', '--user',
                               str(user), '--security-opt', 'no-new-privileges', '-v', f'{folder}:/workspace/source',
                               SCANNER, *arguments], env=engine.environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=120, check=False)
        check(done.returncode == expected, f'exit code {done.returncode}: {done.stdout.decode(errors="replace")[-2000:]}')
        check_report(pathlib.Path(folder) / 'scan-secrets.sarif', expected)


def check_same():
    """One command, wherever it runs."""
    commands = {' '.join(make().replace('\\\n', ' ').split()) for make, _ in SYSTEMS.values()}
    check(len(commands) == 1, '\n'.join(commands))


def check_pinned():
    """What others can move is named by what they cannot."""
    workflow = yaml.safe_load((CI / 'github-actions.yml').read_text())
    uses = [step['uses'] for job in workflow['jobs'].values() for step in job['steps'] if 'uses' in step]
    check(len(uses) == 2, f'{uses}')
    for name in uses:
        check(re.fullmatch(r'[\w./-]+@[0-9a-f]{40}', name), f'{name} is not pinned')
    check(workflow['permissions'] == {}, 'more rights than each job asks for')
    check((ROOT / '.pre-commit-hooks.yaml').resolve() == CI / 'pre-commit-hooks.yaml', 'pre-commit finds other hooks in our root')
    for path in CI.iterdir():
        text = path.read_text()
        check('allow_failure' not in text and 'continue-on-error' not in text and '|| true' not in text,
              f'{path.name} passes over a failure')
        check(':latest' not in text, f'{path.name}: whatever is latest')


def pre_commit(scanner, hooks_of, expected):
    """A real pre-commit on a real commit."""
    tools = os.environ.get('SCAN_SECRETS_TOOLS') or os.path.expanduser('~/.cache/scan-secrets-tests')
    program = pathlib.Path(tools) / 'pre-commit/bin/pre-commit'
    if not program.exists():
        raise Skip(f'{program} is not there (tests/run.sh installs it)')
    with tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ, PATH=f'{scanner.parent}:{os.environ["PATH"]}', PRE_COMMIT_HOME=f'{folder}/home',
                           GIT_CONFIG_GLOBAL='/dev/null', GIT_CONFIG_SYSTEM='/dev/null')

        def git(where, *arguments):
            return subprocess.run(['git', '-c', 'user.name=a', '-c', 'user.email=a@b.example', *arguments], cwd=where,
                                  env=environment, check=True, capture_output=True, text=True).stdout.strip()

        repository = pathlib.Path(folder) / 'repository'
        repository.mkdir()
        git(repository, 'init', '-q')
        config = (CI / 'pre-commit-config.yaml').read_text()
        if hooks_of == 'repository':
            hooks = pathlib.Path(folder) / 'hooks'
            hooks.mkdir()
            git(hooks, 'init', '-q')
            shutil.copy(CI / 'pre-commit-hooks.yaml', hooks / '.pre-commit-hooks.yaml')
            git(hooks, 'add', '.')
            git(hooks, 'commit', '-qm', 'hooks')
            config = yaml.safe_dump({'repos': [{'repo': str(hooks), 'rev': git(hooks, 'rev-parse', 'HEAD'),
                                                'hooks': [{'id': 'scan-secrets'}]}]})
        (repository / '.pre-commit-config.yaml').write_text(config)
        for path, content, verdict in IMAGES.values():
            if verdict in (0, expected):
                (repository / pathlib.Path(path).name).write_bytes(content)
        git(repository, 'add', '.')
        done = subprocess.run([program, 'run', '--color', 'never'], cwd=repository, env=environment, capture_output=True,
                              text=True, timeout=120, check=False)
        said = re.search(r'exit code: (\d+)', done.stdout)
        check(int(said[1]) == expected if said else expected == 0, done.stdout + done.stderr)
        check((done.returncode == 0) == (expected == 0), f'exit code {done.returncode}: {done.stdout}{done.stderr}')
        check(KEY not in done.stdout, 'the secret stands in the log')


def main(scanner, images):
    sheet = Sheet()
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(dir='/tmp', prefix='ci.')))
        archives = {name: make_image(folder, name, path, content) for name, (path, content, _) in IMAGES.items()}
        (folder / 'engine').mkdir()
        engine, reason = None, ''
        try:
            if not (images / 'scan-secrets.tar').exists():
                raise Skip('the image of scan-secrets was not built')
            engine = Engine(folder / 'engine')
            stack.callback(engine.stop)
            for archive in (images / 'scan-secrets.tar', *archives.values()):
                engine.load(archive)
        except Skip as skip:
            reason = str(skip)

        def case(name, test, *arguments):
            with sheet.case(name):
                if engine is None:
                    raise Skip(reason)
                test(engine, *arguments)

        for system, (command, shell) in SYSTEMS.items():
            for image, (_, _, expected) in IMAGES.items():
                case(f'{system}: an image that is {image} ends with {expected}', check_command, command(), shell, image, expected)
            case(f'{system}: an image that is not there fails', check_command, command(), shell, 'missing', None)
        for image, (_, _, expected) in IMAGES.items():
            case(f'Tekton: an image that is {image} ends with {expected}', check_tekton, archives[image], expected)
    for place in ('file', 'repository'):
        for image, (_, _, expected) in IMAGES.items():
            with sheet.case(f'pre-commit, hooks from the {place}: a file that is {image} ends with {expected}'):
                pre_commit(scanner, place, expected)
    with sheet.case('all systems run the same command'):
        check_same()
    with sheet.case('actions are pinned, failures are failures'):
        check_pinned()
    return sheet.end()


if __name__ == '__main__':
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()))
