#!/usr/bin/python3
"""Measures secret-injector beside `bao agent` at the same work, against a real OpenBao over TLS.

usage: injector.py SECRET_INJECTOR BAO [--runs N] [--long]

Each of a row's two figures comes from the same run on the same machine. --long adds the two minutes of a stopped
server and the sixty seconds of rotations. Root is needed for the tmpfs; without it a directory in /dev/shm serves.
"""
import argparse
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'injector'))
from bao import Bao, program_of  # noqa: E402


class Ours:
    name = 'secret-injector'

    def __init__(self, binary):
        self.binary = binary

    def prepare(self, bao, mount, folder, names, refresh='5m', port=None):
        self.config = folder / 'injector.yaml'
        files = ''.join(f'  - {{ path: {n}, from: "bao:secret/{n}#value" }}\n' for n in names)
        self.config.write_text(
            f'mount: {mount}\nrefresh: {refresh}\nhealth: {{ listen: none }}\nlog: {{ level: error }}\n'
            f'stores:\n  bao:\n    vault:\n      address: https://localhost:{port or bao.port}\n'
            f'      ca_file: {bao.folder}/vault-ca.pem\n      auth: {{ approle: {{ role_id_file: {bao.folder}/role-id, '
            f'secret_id_file: {bao.folder}/secret-id }} }}\nfiles:\n{files}')

    def once(self):
        return [self.binary, 'init', '--config', str(self.config)]

    def run(self):
        return [self.binary, 'run', '--config', str(self.config)]


class Agent:
    name = 'bao agent'

    def __init__(self, binary):
        self.binary = binary

    def prepare(self, bao, mount, folder, names, refresh='5m', port=None):
        self.config = folder / 'agent.hcl'
        templates = ''.join(
            'template {\n  contents = "{{ with secret \\"secret/data/%s\\" }}{{ .Data.data.value }}{{ end }}"\n'
            '  destination = "%s/%s"\n}\n' % (n, mount, n) for n in names)
        self.config.write_text(
            f'vault {{\n  address = "https://localhost:{port or bao.port}"\n  ca_cert = "{bao.folder}/vault-ca.pem"\n}}\n'
            f'auto_auth {{\n  method "approle" {{\n    config = {{ role_id_file_path = "{bao.folder}/role-id", '
            f'secret_id_file_path = "{bao.folder}/secret-id", remove_secret_id_file_after_reading = false }}\n  }}\n}}\n'
            f'template_config {{ static_secret_render_interval = "{refresh}" }}\n{templates}')

    def once(self):
        return [self.binary, 'agent', f'-config={self.config}', '-exit-after-auth', '-log-level=error']

    def run(self):
        return [self.binary, 'agent', f'-config={self.config}', '-log-level=error']


def clean(mount):
    for entry in list(mount.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def wait_for(mount, names, limit=60):
    end = time.monotonic() + limit
    last = mount / names[-1]
    while time.monotonic() < end:
        if last.exists() and all((mount / n).exists() for n in names):
            return time.monotonic()
        time.sleep(0.0005)
    raise RuntimeError('the files did not come')


def started(command):
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def end(process):
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def resident_mib(pid):
    return int(re.search(r'VmRSS:\s+(\d+)', pathlib.Path(f'/proc/{pid}/status').read_text()).group(1)) / 1024


def start_times(bao, who, mount, folder, count, runs):
    names = [f's{i}' for i in range(count)]
    times = []
    for _ in range(runs):
        clean(mount)
        who.prepare(bao, mount, folder, names)
        begun = time.monotonic()
        process = started(who.run())
        times.append(wait_for(mount, names) - begun)
        end(process)
    # Once more through the proxy that counts, which costs time.
    clean(mount)
    who.prepare(bao, mount, folder, names, port=bao.proxy.port)
    connections_before, requests_before = bao.proxy.count, bao.requests()
    process = started(who.run())
    wait_for(mount, names)
    time.sleep(0.5)
    connections = bao.proxy.count - connections_before
    requests = bao.requests() - requests_before
    end(process)
    return sorted(times)[len(times) // 2], connections, requests


def memory(bao, who, mount, folder, count):
    names = [f'big{i}' for i in range(count)]
    clean(mount)
    who.prepare(bao, mount, folder, names)
    process = started(who.run())
    wait_for(mount, names)
    time.sleep(12)  # At rest, as they are for all but the first seconds of a pod's life.
    result = resident_mib(process.pid)
    end(process)
    return result


def rotations(bao, who, mount, folder, seconds, total):
    names = ['rotating']
    bao.put('rotating', 'start')
    clean(mount)
    who.prepare(bao, mount, folder, names, refresh='10ms' if who.name == 'secret-injector' else '1s')
    process = started(who.run())
    wait_for(mount, names)
    seen, stop = set(), threading.Event()

    def look():
        while not stop.is_set():
            try:
                seen.add((mount / 'rotating').read_text())
            except OSError:
                pass
            time.sleep(0.002)

    thread = threading.Thread(target=look)
    thread.start()
    begun = time.monotonic()
    for i in range(total):
        bao.put('rotating', f'r{i}')
        time.sleep(max(0, begun + (i + 1) * seconds / total - time.monotonic()))
    time.sleep(1)
    stop.set()
    thread.join()
    end(process)
    return len([s for s in seen if s.startswith('r') and s != 'rotating'])


def stopped_server(bao, who, mount, folder, seconds):
    names = ['s0']
    clean(mount)
    who.prepare(bao, mount, folder, names, refresh='5s', port=bao.proxy.port)
    process = started(who.run())
    wait_for(mount, names)
    bao.process.send_signal(signal.SIGSTOP)
    before = bao.proxy.count
    time.sleep(seconds)
    result = bao.proxy.count - before
    bao.process.send_signal(signal.SIGCONT)
    end(process)
    time.sleep(2)
    return result


def size_with_libraries(binary):
    with tempfile.NamedTemporaryFile() as stripped:
        subprocess.run(['strip', '-o', stripped.name, binary], check=False, stderr=subprocess.DEVNULL)
        sizes = {binary: os.path.getsize(stripped.name) or os.path.getsize(binary)}
    listing = subprocess.run(['ldd', binary], capture_output=True, text=True).stdout
    for path in re.findall(r'(/\S+\.so\S*)', listing):
        real = os.path.realpath(path)
        sizes[real] = os.path.getsize(real)
    return sum(sizes.values()) / 1e6


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument('injector')
    arguments.add_argument('bao')
    arguments.add_argument('--runs', type=int, default=5)
    arguments.add_argument('--long', action='store_true')
    options = arguments.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix='injector-bench-', dir='/dev/shm'))
    mount = folder / 'mount'
    mount.mkdir()
    mounted = os.geteuid() == 0 and subprocess.run(
        ['mount', '-t', 'tmpfs', '-o', 'size=64m,nodev,nosuid,noexec,mode=0700', 'tmpfs', str(mount)]).returncode == 0
    options.bao, options.injector = program_of(options.bao), os.path.abspath(options.injector)
    bao = Bao(options.bao, folder)
    both = [Agent(options.bao), Ours(options.injector)]
    rows = []
    try:
        for i in range(100):
            bao.put(f's{i}', f'value-{i}')
            bao.put(f'big{i}', chr(97 + i % 26) * 65536)
        for count, goals in ((1, ('0.03', '1')), (10, ('0.04', '1')), (100, ('0.12', '1'))):
            peers = [start_times(bao, who, mount, folder, count, options.runs) for who in both]
            rows.append((f'exec to last file, {count} secrets, s', *(f'{p[0]:.3f}' for p in peers), goals[0]))
            rows.append((f'connections for {count}', *(str(p[1]) for p in peers), goals[1]))
            if count == 100:
                rows.append(('requests for 100 secrets of one mount', *(str(p[2]) for p in peers), '102'))
        for count, goal in ((10, '10'), (100, '24')):
            rows.append((f'resident MiB with {count} of 64 KiB',
                         *(f'{memory(bao, who, mount, folder, count):.1f}' for who in both), goal))
        modes = []
        for who in both:
            clean(mount)
            who.prepare(bao, mount, folder, ['s0'])
            process = started(who.run())
            wait_for(mount, ['s0'])
            modes.append(f'{(mount / "s0").stat().st_mode & 0o7777:04o}')
            end(process)
        rows.append(('file mode', *modes, '0400'))
        rows.append(('binary with its libraries, MB',
                     *(f'{size_with_libraries(p):.1f}' for p in (options.bao, options.injector)), '20'))
        if options.long:
            rows.append(('of 1,000 rotations in 60 s reach the disk',
                         *(str(rotations(bao, who, mount, folder, 60, 1000)) for who in both), '1000'))
            rows.append(('connections in 120 s of a stopped server',
                         *(str(stopped_server(bao, who, mount, folder, 120)) for who in both), '12'))
    finally:
        bao.stop()
        if mounted:
            subprocess.run(['umount', str(mount)])
        shutil.rmtree(folder, ignore_errors=True)
    print('| | bao agent | secret-injector | goal |')
    print('|---|---|---|---|')
    for row in rows:
        print('| ' + ' | '.join(row) + ' |')


if __name__ == '__main__':
    sys.exit(main())
