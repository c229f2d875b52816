#!/usr/bin/python3
"""Measures secret-webhook beside its goals: latency, CPU, memory, and what hostile clients cost.

usage: webhook.py SECRET_WEBHOOK [--long] [--handshakes]

The load is that of one API server: one connection, kept. --long makes the slow clients last ten minutes in place of one;
--handshakes adds what a new connection for each review costs. What vault-k8s 1.7 was measured to do on the same kind of
machine stands beside it.
"""
import argparse
import json
import multiprocessing
import os
import pathlib
import resource
import socket
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'injector' / 'webhook'))
import webhook_test as tests  # noqa: E402

HEAD = b'POST /mutate?timeout=5s HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n'
CLOCK = os.sysconf('SC_CLK_TCK')


def a_review():
    """Of the size that a common pod has: about 4 KB."""
    pod = tests.pod(managedFields=[{'manager': 'kube-controller-manager', 'operation': 'Update', 'apiVersion': 'v1', 'fieldsV1': {
        'f:spec': {f'f:{name}': {} for name in ('containers', 'dnsPolicy', 'restartPolicy', 'schedulerName')}}}])
    pod['spec']['containers'][0]['env'] = [{'name': f'NAME_{i}', 'value': f'value-{i}'} for i in range(20)]
    pod['spec']['containers'].append({'name': 'proxy', 'image': 'proxy:1', 'resources': {'limits': {'memory': '64Mi'}},
                                      'volumeMounts': [{'name': f'v{i}', 'mountPath': f'/v/{i}'} for i in range(5)]})
    pod['spec']['volumes'] = [{'name': f'v{i}', 'emptyDir': {}} for i in range(5)]
    body = json.dumps(tests.review(pod)).encode()
    return HEAD + b'Content-Length: %d\r\n\r\n' % len(body) + body


def exchange(connection, request):
    connection.sendall(request)
    answer = connection.recv(65536)
    end = answer.index(b'\r\n\r\n') + 4
    size = int(answer[:end].lower().split(b'content-length: ')[1].split(b'\r\n')[0])
    while len(answer) < end + size:
        answer += connection.recv(65536)
    assert answer.startswith(b'HTTP/1.1 200'), answer[:200]
    return answer


def paced(webhook, request, seconds, rate=50):
    """Milliseconds of each review, at so many a second."""
    times = []
    with webhook.connect() as connection:
        for _ in range(20):
            exchange(connection, request)
        begun = time.perf_counter()
        for i in range(seconds * rate):
            time.sleep(max(0, begun + i / rate - time.perf_counter()))
            before = time.perf_counter()
            exchange(connection, request)
            times.append((time.perf_counter() - before) * 1e3)
    times.sort()
    return times


def at(times, share):
    return times[min(len(times) - 1, int(len(times) * share))]


def cpu_seconds(pid):
    fields = pathlib.Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK


def slow_crowd(port, authority, count, stop):
    """Keeps so many slow clients: silent ones, half handshakes, and such that send a byte a second."""
    import ssl
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    context = ssl.create_default_context(cafile=authority)
    crowd = {}

    def one(kind):
        raw = socket.create_connection(('127.0.0.1', port), 10)
        if kind == 0:
            return raw
        if kind == 1:
            raw.sendall(b'\x16\x03\x01\x02\x00\x01\x00')
            return raw
        connection = context.wrap_socket(raw, server_hostname='localhost')
        connection.sendall(HEAD if kind == 2 else HEAD + b'Content-Length: 5000\r\n\r\n{')
        return connection
    made = 0
    while not stop.is_set():
        for i in range(count):
            connection = crowd.get(i)
            try:
                if connection is None:
                    if made % 20 == 0:
                        time.sleep(0.05)  # A crowd, not a flood.
                    made += 1
                    connection = crowd[i] = one(i % 4)
                    connection.settimeout(0.001)
                elif i % 4 > 1:
                    connection.send(b'x')
                else:
                    connection.setblocking(False)
                    if connection.recv(1, socket.MSG_PEEK) == b'':
                        raise ConnectionError
            except BlockingIOError:
                pass
            except OSError:
                if connection is not None:
                    connection.close()
                crowd[i] = None
        stop.wait(1)


def with_slow_clients(webhook, request, seconds):
    stop = multiprocessing.Event()
    crowd = multiprocessing.Process(target=slow_crowd, args=(webhook.port, str(webhook.folder / 'ca.crt'), 900, stop))
    crowd.start()
    tests.wait_until(lambda: webhook.metric('secret_injector_admission_connections') > 850, 60, 'the crowd')
    times = paced(webhook, request, seconds)
    peak = webhook.resident_mib()
    stop.set()
    crowd.join()
    return times, peak


def large_bodies(webhook):
    """The largest resident size while four clients send 64 MiB each."""
    peak, done = [0.0], threading.Event()

    def watch():
        while not done.is_set():
            peak[0] = max(peak[0], webhook.resident_mib())
            time.sleep(0.002)

    def send(chunked):
        piece = b' ' * 2**20
        with webhook.connect() as connection:
            try:
                connection.sendall(HEAD + (b'Transfer-Encoding: chunked' if chunked else b'Content-Length: 67108864') + b'\r\n\r\n')
                for _ in range(64):
                    connection.sendall(b'100000\r\n' + piece + b'\r\n' if chunked else piece)
            except OSError:
                pass
    threads = [threading.Thread(target=send, args=(i % 2 == 1,)) for i in range(4)]
    watcher = threading.Thread(target=watch)
    watcher.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    watcher.join()
    return peak[0]


def still_open(webhook, count=220):
    crowd = [socket.create_connection(('127.0.0.1', webhook.port)) for _ in range(count // 2)]
    for _ in range(count - len(crowd)):
        crowd.append(webhook.connect())
        crowd[-1].sendall(HEAD)
    time.sleep(10.5)
    left = webhook.metric('secret_injector_admission_connections')
    for connection in crowd:
        connection.close()
    return int(left)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('webhook')
    parser.add_argument('--long', action='store_true')
    parser.add_argument('--handshakes', action='store_true')
    options = parser.parse_args()
    request = a_review()
    rows = []

    def row(what, value, goal, peer, form='{:.2f}'):
        rows.append((what, form.format(value), goal, peer, 'ok' if value <= float(goal) else 'MISSED'))

    webhook = tests.Webhook(options.webhook)
    time.sleep(1.5)
    row('resident MiB, idle', webhook.resident_mib(), '12', '37', '{:.1f}')
    times = paced(webhook, request, 20)
    row('50 a second, p50 ms', at(times, 0.5), '1', '2.2')
    row('50 a second, p99 ms', at(times, 0.99), '5', '10.9')
    before = cpu_seconds(webhook.process.pid)
    begun = time.perf_counter()
    with webhook.connect() as connection:
        for _ in range(10_000):
            exchange(connection, request)
    took = time.perf_counter() - begun
    row('CPU ms an admission, of 10,000', (cpu_seconds(webhook.process.pid) - before) / 10, '0.15', '0.43', '{:.3f}')
    row('resident MiB after 10,000', webhook.resident_mib(), '16', '42', '{:.1f}')
    inside = webhook.metric('secret_injector_admission_duration_seconds_sum') / webhook.metric('secret_injector_admission_duration_seconds_count')
    slow, peak = with_slow_clients(webhook, request, 600 if options.long else 60)
    row('beside 900 slow clients, p99 ms', at(slow, 0.99), '20', '-')
    row('beside 900 slow clients, resident MiB', peak, '128', '-', '{:.1f}')
    webhook.stop()

    webhook = tests.Webhook(options.webhook)
    row('four bodies of 64 MiB, resident MiB', large_bodies(webhook), '64', '892', '{:.1f}')
    row('220 slow clients, open after 10.5 s', still_open(webhook), '0', '220', '{}')
    status = webhook.post('{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":null}')[0]
    rows.append(('`request: null`', str(status), '400', 'panic', 'ok' if status == 400 else 'MISSED'))
    extra = [f'a review is {len(request)} bytes; {10_000 / took:.0f} a second on one connection; {inside * 1e3:.3f} ms of each is the review itself']
    if options.handshakes:
        before, context = cpu_seconds(webhook.process.pid), webhook.context()
        for _ in range(2000):
            with webhook.connect(context) as connection:
                exchange(connection, request)
        extra.append(f'{(cpu_seconds(webhook.process.pid) - before) / 2:.3f} ms of CPU with a full handshake for each review')
    webhook.stop()
    print(f'{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n')
    print('| | secret-webhook | goal | vault-k8s 1.7 | |\n|---|---|---|---|---|')
    for line in rows:
        print(f'| {" | ".join(line)} |')
    print('\n' + '\n'.join(extra))
    return 0 if all(line[-1] == 'ok' for line in rows) else 1


if __name__ == '__main__':
    sys.exit(main())
