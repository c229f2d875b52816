#!/usr/bin/python3
"""The sidecar as a whole: the real program, a real OpenBao over TLS, a real tmpfs, real signals, real weather.

usage: sidecar_test.py SECRET_INJECTOR BAO [--long]

--long makes each outage last ten minutes and counts the requests of it.
"""
import argparse
import base64
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from bao import Bao, free_port, program_of  # noqa: E402

CANARY = 'canary-7Hq2xZ9vLw4Tn8Rb'
results = {'passed': 0, 'failed': 0, 'skipped': 0}


class Chaos:
    """The proxy that misbehaves on command, between the sidecar and the server."""

    def __init__(self, port):
        script = pathlib.Path(__file__).resolve().parent / 'chaos_proxy.py'
        self.process = subprocess.Popen([sys.executable, script, f'127.0.0.1:{port}'], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.port = json.loads(self.process.stdout.readline())['port']

    def say(self, command):
        self.process.stdin.write(command + '\n')
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def stop(self):
        self.process.stdin.close()
        self.process.wait(10)


class Place:
    """A tmpfs, a server, and what is said of them in a configuration."""

    def __init__(self, options):
        self.options = options
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='sidecar-test-', dir='/dev/shm'))
        self.mount = self.folder / 'mount'
        self.mount.mkdir()
        done = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=8m,nodev,nosuid,noexec,mode=0700', 'tmpfs',
                               str(self.mount)], capture_output=True, check=False)
        self.mounted = done.returncode == 0
        self.bao = Bao(program_of(options.bao), self.folder)
        self.chaos = Chaos(self.bao.port)
        self.health = free_port()
        self.log = self.folder / 'log'
        self.processes = []

    def configure(self, files, more='refresh: 200ms', level='debug'):
        self.config = self.folder / 'app.yaml'
        self.config.write_text(
            f'mount: {self.mount}\n{more}\nhealth: {{ listen: "127.0.0.1:{self.health}" }}\n'
            f'log: {{ level: {level}, format: json }}\n'
            f'stores:\n  bao:\n    vault:\n      address: https://localhost:{self.chaos.port}\n'
            f'      ca_file: {self.folder}/vault-ca.pem\n      auth: {{ approle: {{ role_id_file: {self.folder}/role-id, '
            f'secret_id_file: {self.folder}/secret-id }} }}\nfiles:\n{files}')

    def run(self, command='run', *more):
        log = open(self.log, 'ab')
        process = subprocess.Popen([self.options.injector, command, '--config', str(self.config), *more],
                                   stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def get(self, path):
        try:
            with urllib.request.urlopen(f'http://127.0.0.1:{self.health}{path}', timeout=3) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ''

    def text(self, path):
        try:
            return (self.mount / path).read_text()
        except OSError:
            return None

    def clear(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        self.processes = []
        self.chaos.say('pass')
        for entry in list(self.mount.iterdir()):
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        self.log.unlink(missing_ok=True)

    def close(self):
        self.clear()
        self.chaos.stop()
        self.bao.stop()
        if self.mounted:
            subprocess.run(['umount', str(self.mount)], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def eventually(what, limit=10.0):
    end = time.monotonic() + limit
    while True:
        value = what()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError('did not come about within %.0f s' % limit)
        time.sleep(0.01)


PASSWORD = '  - { path: db/password, from: "bao:secret/db#value" }\n'


def delivers_and_says_so(place):
    place.bao.put('db', CANARY)
    place.configure(PASSWORD)
    place.run()
    eventually(lambda: place.text('db/password') == CANARY)
    eventually(lambda: place.get('/startupz')[0] == 200)
    assert place.get('/readyz')[0] == 200
    assert place.get('/livez')[0] == 200
    assert (place.mount / 'db/password').stat().st_mode & 0o7777 == 0o400
    metrics = place.get('/metrics')[1]
    assert 'secret_injector_fetch_total' in metrics and CANARY not in metrics


def brings_a_rotation(place):
    delivers_and_says_so(place)
    place.bao.put('db', 'second')
    eventually(lambda: place.text('db/password') == 'second')


def gives_its_token_back_and_ends_within_two_seconds(place):
    place.bao.put('db', 'x')
    place.configure(PASSWORD)
    process = place.run()
    eventually(lambda: place.text('db/password'))
    before = len(place.bao.accessors())
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) == 0
    assert time.monotonic() - begun < 2
    assert len(place.bao.accessors()) == before - 1, 'the token is still there'
    assert place.text('db/password') == 'x', 'files stay for the application, which ends after us'


def ends_within_two_seconds_of_a_dead_server(place):
    place.bao.put('db', 'x')
    place.configure(PASSWORD)
    process = place.run()
    eventually(lambda: place.text('db/password'))
    place.bao.process.send_signal(signal.SIGSTOP)
    try:
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(5)
        assert time.monotonic() - begun < 2
    finally:
        place.bao.process.send_signal(signal.SIGCONT)


def takes_over_after_sigkill_while_the_server_is_away(place):
    place.bao.put('db', 'x')
    place.configure(PASSWORD)
    process = place.run()
    eventually(lambda: place.text('db/password'))
    process.kill()
    process.wait()
    place.chaos.say('refuse')
    place.run()
    begun = time.monotonic()
    eventually(lambda: place.get('/startupz')[0] == 200)
    assert time.monotonic() - begun < 2
    assert place.text('db/password') == 'x'
    place.bao.put('db', 'y')
    place.chaos.say('pass')
    eventually(lambda: place.text('db/password') == 'y', 35)


def reads_its_configuration_again_and_keeps_the_old_one_where_that_is_wrong(place):
    place.bao.put('db', 'x')
    place.configure(PASSWORD)
    process = place.run()
    eventually(lambda: place.text('db/password'))
    place.configure(PASSWORD + '  - { path: again, from: "bao:secret/db#value", no_such_key: 1 }\n')
    process.send_signal(signal.SIGHUP)
    eventually(lambda: b'no_such_key' in place.log.read_bytes())
    assert place.get('/readyz')[0] == 200
    place.configure(PASSWORD + '  - { path: again, from: "bao:secret/db#value" }\n')
    process.send_signal(signal.SIGHUP)
    eventually(lambda: place.text('again') == 'x')


def outage(place, begin, end, seconds):
    """Files stay untouched, little is asked, and what has changed meanwhile is found within 35 s of the end."""
    place.bao.put('db', 'before')
    place.configure(PASSWORD)
    place.run()
    eventually(lambda: place.text('db/password') == 'before')
    generation = os.readlink(place.mount / '..data')
    place.chaos.say('forget')
    begin()
    time.sleep(seconds)
    asked = place.chaos.say('stats')['connections']
    assert place.text('db/password') == 'before'
    assert os.readlink(place.mount / '..data') == generation
    assert place.get('/livez')[0] == 200
    assert asked <= max(8, seconds / 10), f'{asked} connections in {seconds} s'
    end()
    place.bao.put('db', 'after')
    begun = time.monotonic()
    eventually(lambda: place.text('db/password') == 'after', 35)
    print(f'    {asked} connections in {seconds} s, found again after {time.monotonic() - begun:.1f} s')


def bears_a_network_that_drops_everything(place):
    outage(place, lambda: (place.chaos.say('hole'), place.chaos.say('drop')), lambda: (place.chaos.say('pass'), place.chaos.say('drop')),
           place.options.seconds)


def bears_a_server_that_resets(place):
    outage(place, lambda: (place.chaos.say('reset 0'), place.chaos.say('drop')), lambda: place.chaos.say('pass'), place.options.seconds)


def bears_a_server_that_is_stopped(place):
    outage(place, lambda: place.bao.process.send_signal(signal.SIGSTOP),
           lambda: place.bao.process.send_signal(signal.SIGCONT), place.options.seconds)


def bears_a_sealed_server(place):
    outage(place, place.bao.seal, place.bao.unseal, place.options.seconds)


def goes_on_after_it_was_stopped_itself(place):
    place.bao.put('db', 'x')
    place.configure(PASSWORD)
    process = place.run()
    eventually(lambda: place.text('db/password'))
    process.send_signal(signal.SIGSTOP)
    place.bao.put('db', 'y')
    time.sleep(3)
    assert place.text('db/password') == 'x'
    process.send_signal(signal.SIGCONT)
    eventually(lambda: place.text('db/password') == 'y', 5)


def lives_with_few_descriptors(place):
    place.bao.put('db', 'x')
    place.configure(PASSWORD)
    process = subprocess.Popen(['prlimit', '--nofile=24', place.options.injector, 'run', '--config', str(place.config)],
                               stdout=open(place.log, 'ab'), stderr=subprocess.STDOUT)
    place.processes.append(process)
    eventually(lambda: place.text('db/password') == 'x')
    busy = [socket.create_connection(('127.0.0.1', place.health)) for _ in range(40)]
    place.bao.put('db', 'y')
    time.sleep(1)
    before = sum(float(f) for f in pathlib.Path(f'/proc/{process.pid}/stat').read_text().split()[13:15])
    time.sleep(2)
    after = sum(float(f) for f in pathlib.Path(f'/proc/{process.pid}/stat').read_text().split()[13:15])
    assert after - before < 40, f'{after - before} ticks in 2 s: it spins'
    for one in busy:
        one.close()
    eventually(lambda: place.text('db/password') == 'y', 35)
    assert process.poll() is None


def starts_two_hundred_at_once(place):
    place.bao.put('db', 'x')
    processes = []
    begun = time.monotonic()
    for i in range(200):
        (place.mount / f'pod{i}').mkdir(mode=0o700)
        place.configure(PASSWORD, level='error')
        config = place.folder / f'pod{i}.yaml'
        config.write_text(place.config.read_text().replace(f'mount: {place.mount}', f'mount: {place.mount}/pod{i}'))
        processes.append(subprocess.Popen([place.options.injector, 'init', '--config', str(config)],
                                          stdout=open(place.log, 'ab'), stderr=subprocess.STDOUT))
    codes = [process.wait(120) for process in processes]
    assert codes == [0] * 200, [code for code in codes if code]
    took = time.monotonic() - begun
    print(f'    200 pods, each with a login of its own, in {took:.1f} s')
    assert took < 60


def bears_answers_of_a_byte_a_second_and_cut_ones(place):
    outage(place, lambda: (place.chaos.say('rate 1'), place.chaos.say('drop')), lambda: (place.chaos.say('pass'), place.chaos.say('drop')),
           place.options.seconds)
    place.clear()
    outage(place, lambda: (place.chaos.say('cut 3000'), place.chaos.say('drop')), lambda: place.chaos.say('pass'), 5)


def logs_in_again_when_its_token_is_revoked(place):
    place.bao.put('db', 'x')
    place.configure(PASSWORD)
    place.run()
    eventually(lambda: place.text('db/password'))
    place.bao.revoke_logins()
    place.bao.put('db', 'y')
    eventually(lambda: place.text('db/password') == 'y', 35)


def init_delivers_and_ends(place):
    place.bao.put('db', 'x')
    place.configure(PASSWORD)
    assert place.run('init').wait(20) == 0
    assert place.text('db/password') == 'x'


def run_goes_on_where_init_ended_without_asking_the_store(place):
    place.bao.put('db', CANARY)
    place.configure(PASSWORD, more='refresh: 3s')
    handover = place.folder / 'handover'
    handover.mkdir(exist_ok=True)
    before = len(place.bao.accessors())
    assert place.run('init', '--handover', str(handover)).wait(10) == 0
    left = handover / 'handover'
    assert left.stat().st_mode & 0o777 == 0o600 and CANARY not in left.read_text()
    assert len(place.bao.accessors()) == before + 1, 'its token lives on'
    published = os.readlink(place.mount / '..data')
    asked = place.bao.requests()
    place.run('run', '--handover', str(handover))
    eventually(lambda: place.get('/startupz')[0] == 200)
    assert not left.exists(), 'nobody else may take it'
    time.sleep(1)
    assert place.bao.requests() == asked, 'the store was asked again'
    assert os.readlink(place.mount / '..data') == published
    place.bao.put('db', 'another')
    eventually(lambda: place.text('db/password') == 'another')
    assert len(place.bao.accessors()) == before + 1, 'it logged in a second time'
    place.processes[-1].send_signal(signal.SIGTERM)
    place.processes[-1].wait(5)
    assert len(place.bao.accessors()) == before, 'the token is still there'
    assert CANARY not in place.log.read_text()


def run_goes_on_with_a_template_of_two_secrets(place):
    place.bao.put('one', 'first')
    place.bao.put('two', 'second')
    place.configure('  - path: both\n    template: \'{{ with secret "secret/one" }}{{ .Data.data.value }}{{ end }} '
                    '{{ with secret "secret/two" }}{{ .Data.data.value }}{{ end }}\'\n', more='refresh: 3s')
    handover = place.folder / 'handover'
    handover.mkdir(exist_ok=True)
    assert place.run('init', '--handover', str(handover)).wait(10) == 0
    published = os.readlink(place.mount / '..data')
    asked = place.bao.requests()
    place.run('run', '--handover', str(handover))
    eventually(lambda: place.get('/startupz')[0] == 200)
    time.sleep(1)
    assert place.bao.requests() == asked, 'the store was asked again'
    assert os.readlink(place.mount / '..data') == published, 'the file was written again'
    place.bao.put('two', 'third')
    eventually(lambda: place.text('both') == 'first third')


def run_starts_anew_where_what_init_left_does_not_fit(place):
    place.bao.put('db', CANARY)
    handover = place.folder / 'handover'
    handover.mkdir(exist_ok=True)
    for text in ('', '{', '{"config":"x","watch":{}}', '[]', '{"config":1}'):
        (handover / 'handover').write_text(text)
        place.configure(PASSWORD)
        place.run('run', '--handover', str(handover))
        eventually(lambda: place.text('db/password') == CANARY)
        eventually(lambda: place.get('/startupz')[0] == 200)
        assert not (handover / 'handover').exists()
        place.clear()
    place.run('init', '--handover', '/var/tmp')
    assert place.processes[-1].wait(10) == 0
    assert 'nothing is handed over' in place.log.read_text()
    assert not pathlib.Path('/var/tmp/handover').exists()


def init_says_in_one_line_what_is_missing(place):
    place.configure('  - { path: a, from: "bao:secret/nothing-here#value" }\n')
    message = place.folder / 'termination'
    message.touch()
    assert place.run('init', '--timeout', '20s', '--termination-log', str(message)).wait(30) == 1
    assert 'a: ' in message.read_text() and len(message.read_text().strip().splitlines()) == 1, message.read_text()


def refuses_what_is_no_tmpfs(place):
    with tempfile.TemporaryDirectory(dir='/var/tmp') as disk:
        if subprocess.run(['stat', '-f', '-c', '%T', disk], capture_output=True, text=True,
                          check=False).stdout.strip() == 'tmpfs':
            raise unittest_skip('/var/tmp is a tmpfs here')
        place.configure(PASSWORD)
        place.config.write_text(place.config.read_text().replace(str(place.mount), disk))
        assert place.run('init').wait(10) == 2
        assert not os.listdir(disk)
    assert b'tmpfs' in place.log.read_bytes()


def checks_without_reading_a_value(place):
    place.bao.put('db', CANARY)
    place.configure(PASSWORD)
    done = subprocess.run([place.options.injector, 'check', '--config', str(place.config)], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert CANARY not in done.stdout + done.stderr
    assert all(len(line) <= 80 for line in done.stdout.splitlines()), done.stdout


def tells_nobody(place):
    """At the highest verbosity, through a rotation, an outage and the end: no value and no token anywhere."""
    place.bao.put('db', CANARY + '-1')
    place.configure(PASSWORD + '  - { path: app.env, from: "bao:secret/db", format: dotenv }\n')
    process = place.run()
    eventually(lambda: place.text('db/password') == CANARY + '-1')
    seen = place.get('/metrics')[1] + place.get('/readyz?verbose')[1] + place.get('/startupz?verbose')[1]
    place.bao.put('db', CANARY + '-2')
    eventually(lambda: place.text('db/password') == CANARY + '-2')
    for name in ('cmdline', 'environ'):
        seen += pathlib.Path(f'/proc/{process.pid}/{name}').read_bytes().decode(errors='replace')
    place.chaos.say('reset 0')
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    process.wait(5)
    seen += place.log.read_text(errors='replace')
    secret_id = (place.folder / 'secret-id').read_text()
    for needle in (CANARY, secret_id, 's.'[:0] + secret_id[:13]):
        for form in (needle, base64.b64encode(needle.encode()).decode().rstrip('='), needle.encode().hex(), needle[::-1]):
            assert form not in seen, 'a secret was told'
    assert '"event.action":"deliver"' in seen


def leaves_no_value_outside_the_arena(place):
    """T50: after rotations and when idle, no window of 8 bytes of any value in the process' own memory."""
    if os.geteuid() != 0:
        raise Skipped('another process\' memory is for root')
    values = [f'{i}qZ7w{i}Kx9Lm{i}Tn8Rb{i}Hs' for i in range(5)]
    place.bao.put('db', values[0])
    place.configure(PASSWORD, more='refresh: 1h')
    process = place.run()
    eventually(lambda: place.text('db/password') == values[0])
    for value in values[1:]:
        place.bao.put('db', value)
        process.send_signal(signal.SIGHUP)
        eventually(lambda: place.text('db/password') == value)
    needles = {value[i:i + 8].encode() for value in values for i in range(len(value) - 7)}

    def found():
        with open(f'/proc/{process.pid}/maps') as maps, open(f'/proc/{process.pid}/mem', 'rb') as memory:
            for line in maps:
                begin, end = (int(part, 16) for part in line.split()[0].split('-'))
                try:
                    memory.seek(begin)
                    data = memory.read(end - begin)
                except (OSError, ValueError):
                    continue  # The arena of memfd_secret, which nobody reads.
                if any(needle in data for needle in needles):
                    return True
        return False

    assert found(), 'it cannot find what is certainly there: the last answer on an open connection'
    eventually(lambda: not found(), 20)
    # And at exit, with the last answer still on an open connection as the signal comes: the kernel holds the process on
    # the threshold of exit_group for as long as the search takes.
    place.bao.put('db', values[0])
    process.send_signal(signal.SIGHUP)
    eventually(lambda: place.text('db/password') == values[0])
    tracer = subprocess.Popen(['strace', '-qq', '-o', '/dev/null', '-e', 'trace=exit_group', '-e',
                               'inject=exit_group:delay_enter=4s', '-p', str(process.pid)])
    eventually(lambda: 'TracerPid:\t0' not in pathlib.Path(f'/proc/{process.pid}/status').read_text())
    process.send_signal(signal.SIGTERM)
    exit_group = '231 ' if os.uname().machine == 'x86_64' else '94 '
    eventually(lambda: pathlib.Path(f'/proc/{process.pid}/syscall').read_text().startswith(exit_group), 5)
    assert not found(), 'a value is left in memory at exit'
    assert process.wait(10) == 0
    tracer.wait(10)


TEMPLATE = '''  - path: app.env
    template: |
      {{- with secret "secret/db" }}
      DB={{ .Data.data.value }} ({{ .Data.metadata.version }})
      {{- end }}
      {{- with secret "secret/other" }}
      OTHER={{ .Data.data.value | toUpper }}
      {{- end }}
      NAMES={{ range secrets "secret/" }}{{ . }};{{ end }}
'''


def makes_a_file_by_a_template_and_anew_when_one_of_its_secrets_changes(place):
    place.bao.put('db', 'one')
    place.bao.put('other', 'x')
    version = place.bao.call('GET', 'secret/metadata/db')[1]['data']['current_version']
    place.configure(TEMPLATE + PASSWORD)
    place.run()
    eventually(lambda: f'DB=one ({version})\nOTHER=X\n' in (place.text('app.env') or ''))
    assert re.search(r'^NAMES=(.*;)?db;(.*;)?other;', place.text('app.env'), re.M), place.text('app.env')
    eventually(lambda: place.get('/startupz')[0] == 200)
    place.bao.put('other', 'y')
    eventually(lambda: f'DB=one ({version})\nOTHER=Y\n' in place.text('app.env'))
    place.bao.put('db', 'two')
    eventually(lambda: f'DB=two ({version + 1})\nOTHER=Y\n' in place.text('app.env'))
    assert place.text('db/password') == 'two', 'a file of the same secret changes in the same generation'
    generations = len(list(place.mount.glob('..gen*')) or list(place.mount.glob('..2*')))
    time.sleep(1)
    assert generations == len(list(place.mount.glob('..gen*')) or list(place.mount.glob('..2*'))), 'it writes what it has'


def keeps_a_templates_file_while_one_of_its_secrets_is_missing(place):
    place.bao.put('db', 'one')
    place.bao.call('DELETE', 'secret/metadata/absent')
    template = TEMPLATE.replace('secret/other', 'secret/absent')
    place.configure(template + PASSWORD)
    process = place.run()
    eventually(lambda: place.text('db/password') == 'one')
    eventually(lambda: 'there is no answer for secret/absent' in place.log.read_text())
    assert place.text('app.env') is None and place.get('/startupz')[0] != 200
    place.bao.put('absent', 'here')
    eventually(lambda: 'OTHER=HERE' in (place.text('app.env') or ''), 30)
    place.bao.call('DELETE', 'secret/metadata/absent')
    place.bao.put('db', 'two')
    eventually(lambda: place.text('db/password') == 'two')
    assert 'OTHER=HERE' in place.text('app.env'), 'the last good file stays'
    assert process.poll() is None


def refuses_a_template_with_all_its_mistakes_before_anything_is_asked(place):
    place.configure('''  - path: a
    template: |
      {{ env "HOME" }}
      {{ with secret "secret/x" }}{{ .Data.data.y | quote }}
''')
    process = place.run()
    assert process.wait(5) == 2
    log = place.log.read_text()
    assert 'line 1: the function \\"env\\" is refused' in log or 'line 1: the function "env" is refused' in log, log
    assert 'sprig_quote' in log and 'an end is missing' in log, log


class Skipped(Exception):
    pass


def unittest_skip(reason):
    return Skipped(reason)


TESTS = [makes_a_file_by_a_template_and_anew_when_one_of_its_secrets_changes,
         keeps_a_templates_file_while_one_of_its_secrets_is_missing,
         refuses_a_template_with_all_its_mistakes_before_anything_is_asked,
         delivers_and_says_so, brings_a_rotation, gives_its_token_back_and_ends_within_two_seconds,
         ends_within_two_seconds_of_a_dead_server, takes_over_after_sigkill_while_the_server_is_away,
         reads_its_configuration_again_and_keeps_the_old_one_where_that_is_wrong,
         bears_a_network_that_drops_everything, bears_a_server_that_resets, bears_a_server_that_is_stopped,
         bears_a_sealed_server, goes_on_after_it_was_stopped_itself, lives_with_few_descriptors, starts_two_hundred_at_once,
         bears_answers_of_a_byte_a_second_and_cut_ones, logs_in_again_when_its_token_is_revoked, init_delivers_and_ends,
         run_goes_on_where_init_ended_without_asking_the_store, run_goes_on_with_a_template_of_two_secrets,
         run_starts_anew_where_what_init_left_does_not_fit,
         init_says_in_one_line_what_is_missing, refuses_what_is_no_tmpfs, checks_without_reading_a_value, tells_nobody,
         leaves_no_value_outside_the_arena]


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument('injector')
    arguments.add_argument('bao')
    arguments.add_argument('--long', action='store_true')
    arguments.add_argument('--only', default='')
    options = arguments.parse_args()
    options.seconds = 600 if options.long else 8
    place = Place(options)
    try:
        for test in TESTS:
            if options.only not in test.__name__:
                continue
            try:
                test(place)
                results['passed'] += 1
                print(f'  ok      {test.__name__}')
            except Skipped as reason:
                results['skipped'] += 1
                print(f'  SKIPPED: {test.__name__}: {reason}')
            except Exception:  # noqa: BLE001
                results['failed'] += 1
                print(f'  FAILED  {test.__name__}')
                traceback.print_exc()
                if place.log.exists():
                    print(place.log.read_text(errors='replace')[-3000:])
            place.clear()
    finally:
        place.close()
    print('  {passed} passed, {failed} failed, {skipped} skipped'.format(**results))
    return 1 if results['failed'] or not results['passed'] else 0


if __name__ == '__main__':
    sys.exit(main())
