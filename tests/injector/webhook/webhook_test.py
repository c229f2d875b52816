#!/usr/bin/python3
"""The webhook as a whole: the real program, real TLS clients, real signals, hostile connections, an API server's double.

usage: webhook_test.py SECRET_WEBHOOK [NAME...]
"""
import base64
import concurrent.futures
import http.client
import json
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from api_server import ApiServer  # noqa: E402

CANARY = 'canary-7Hq2xZ9vLw4Tn8Rb'
UID = '705ab4f5-6393-11e8-b7cc-42010a800002'
results = {'passed': 0, 'failed': 0, 'skipped': 0}


def run(*command, **more):
    return subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True, **more)


def make_authority(folder, name='ca'):
    run('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30',
        '-keyout', folder / f'{name}.key', '-out', folder / f'{name}.crt', '-subj', f'/CN={name}',
        '-addext', 'keyUsage=critical,keyCertSign')


def make_leaf(folder, name, authority='ca', days='10', kind=('ec', '-pkeyopt', 'ec_paramgen_curve:P-256')):
    run('openssl', 'req', '-newkey', *kind, '-nodes', '-keyout', folder / f'{name}.key', '-out', folder / f'{name}.csr',
        '-subj', f'/CN={name}')
    (folder / 'ext').write_text('subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n')
    run('openssl', 'x509', '-req', '-in', folder / f'{name}.csr', '-CA', folder / f'{authority}.crt', '-CAkey',
        folder / f'{authority}.key', '-CAcreateserial', '-days', days, '-extfile', folder / 'ext', '-out',
        folder / f'{name}.crt')


def pod(**metadata):
    base = {'name': 'api', 'namespace': 'shop', 'labels': {'secret-injector.io/inject': 'true'},
            'annotations': {'secret-injector.io/secret.db': 'vault:secret/shop/db#password',
                            'secret-injector.io/role': 'shop'}}
    base.update(metadata)
    return {'apiVersion': 'v1', 'kind': 'Pod', 'metadata': base,
            'spec': {'serviceAccountName': 'api', 'containers': [{'name': 'api', 'image': 'api:1'}]}}


def review(obj, **request):
    base = {'uid': UID, 'kind': {'group': '', 'version': 'v1', 'kind': 'Pod'},
            'resource': {'group': '', 'version': 'v1', 'resource': 'pods'}, 'namespace': 'shop', 'operation': 'CREATE',
            'userInfo': {'username': 'system:serviceaccount:kube-system:replicaset-controller'}, 'object': obj,
            'oldObject': None, 'dryRun': False, 'options': {'kind': 'CreateOptions'}}
    base.update(request)
    return {'apiVersion': 'admission.k8s.io/v1', 'kind': 'AdmissionReview', 'request': base}


JSON = {'Content-Type': 'application/json'}


class Webhook:
    """The program with certificates in files."""

    def __init__(self, binary, *arguments, policy=None, delay=0, more=(), own=False):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='webhook-test-'))
        self.log = self.folder / 'log'
        if not own:
            make_authority(self.folder)
            make_leaf(self.folder, 'tls')
            more = ('--tls-cert', str(self.folder / 'tls.crt'), '--tls-key', str(self.folder / 'tls.key'), *more)
        if policy is not None:
            (self.folder / 'policy.yaml').write_text(policy)
            more = ('--policy', str(self.folder / 'policy.yaml'), *more)
        self.process = subprocess.Popen(
            [binary, '--listen', '127.0.0.1:0', '--health', '127.0.0.1:0', '--drain-delay', str(delay), '--log-level',
             'debug', *more, *arguments], stdout=subprocess.DEVNULL, stderr=open(self.log, 'wb'))
        end = time.monotonic() + 20
        while time.monotonic() < end and b'"message":"started"' not in self.log.read_bytes():
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        started = next((line for line in self.lines() if line['message'] == 'started'), None)
        assert started, self.log.read_text()
        self.port, self.health = int(started['server.port']), int(started['health.port'])

    def lines(self):
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def context(self, authority='ca.crt'):
        context = ssl.create_default_context(cafile=str(self.folder / authority))
        context.set_alpn_protocols(['h2', 'http/1.1'])
        return context

    def connect(self, context=None, session=None):
        raw = socket.create_connection(('127.0.0.1', self.port), 10)
        return (context or self.context()).wrap_socket(raw, server_hostname='localhost', session=session)

    def client(self):
        return http.client.HTTPSConnection('localhost', self.port, timeout=15, context=self.context())

    def post(self, body, path='/mutate?timeout=5s', headers=None, method='POST', client=None):
        own = client is None
        client = client or self.client()
        data = body if isinstance(body, (bytes, str)) or body is None else json.dumps(body)
        client.request(method, path, data, JSON if headers is None else headers)
        response = client.getresponse()
        text = response.read()
        if own:
            client.close()
        return response.status, text, response

    def admit(self, obj, **request):
        status, text, _ = self.post(review(obj, **request))
        assert status == 200, (status, text)
        return json.loads(text)['response']

    def raw(self, data, wait=5):
        """What comes back until the server closes."""
        with self.connect() as connection:
            connection.settimeout(wait)
            connection.sendall(data)
            answer = b''
            while True:
                try:
                    block = connection.recv(65536)
                except (ConnectionError, ssl.SSLError):
                    break
                if not block:
                    break
                answer += block
        return answer

    def probe(self, path):
        connection = http.client.HTTPConnection('127.0.0.1', self.health, timeout=5)
        connection.request('GET', path)
        response = connection.getresponse()
        return response.status, response.read().decode()

    def metric(self, name):
        page = self.probe('/metrics')[1]
        found = re.search('^' + re.escape(name) + r' (\S+)$', page, re.M)
        return float(found.group(1)) if found else None

    def resident_mib(self):
        return int(re.search(r'VmRSS:\s+(\d+)', pathlib.Path(f'/proc/{self.process.pid}/status').read_text()).group(1)) / 1024

    def sanitized(self):
        return b'__asan_init' in pathlib.Path(f'/proc/{self.process.pid}/exe').read_bytes()

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(30)
        shutil.rmtree(self.folder)
        return code


def keeps_within(webhook, mebibytes, what):
    """Sanitizers take several times the memory: of such a program only the answers are checked."""
    if not webhook.sanitized():
        resident = webhook.resident_mib()
        assert resident <= mebibytes, f'{what}: {resident:.1f} MiB'


def wait_until(condition, seconds=10, what='it'):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError(f'{what} did not come about in {seconds} s')


# -- one test, one sentence ------------------------------------------------------------------------------------------

def a_pod_that_asks_is_patched_over_tls(webhook):
    response = webhook.admit(pod())
    assert response['uid'] == UID and response['allowed'] and response['patchType'] == 'JSONPatch', response
    patch = json.loads(base64.b64decode(response['patch']))
    assert patch and all(step['op'] == 'add' for step in patch), patch


def a_dry_run_and_a_second_review_give_the_same_bytes(webhook):
    first = webhook.post(review(pod()))[1]
    assert first == webhook.post(review(pod(), dryRun=True))[1] == webhook.post(review(pod()))[1]


def a_wrong_pod_is_denied_with_code_and_message(webhook):
    response = webhook.admit(pod(annotations={'secret-injector.io/nonsense': CANARY}))
    assert response['allowed'] is False and response['status']['code'] == 403, response
    assert 'nonsense' in response['status']['message'] and 'patch' not in response


def what_is_no_new_pod_is_let_through(webhook):
    for request in ({'operation': 'UPDATE'}, {'operation': 'DELETE', 'object': None}, {'operation': 'CONNECT'},
                    {'subResource': 'exec'}, {'kind': {'group': 'apps', 'version': 'v1', 'kind': 'Deployment'}}):
        response = webhook.admit(request.pop('object', pod()), **request)
        assert response['allowed'] and 'patch' not in response, (request, response)


def requests_are_refused_by_their_form(webhook):
    body = json.dumps(review(pod()))
    for expected, arguments in (
            (404, {'path': '/'}), (404, {'path': '/mutate/x'}), (405, {'method': 'GET', 'body': None}),
            (405, {'method': 'PUT'}), (415, {'headers': {'Content-Type': 'text/plain'}}), (415, {'headers': {}}),
            (415, {'headers': {**JSON, 'Content-Encoding': 'gzip'}}), (200, {'headers': {'Content-Type': 'application/json; charset=utf-8'}}),
            (400, {'body': '{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":null}'}),
            (400, {'body': '{}'}), (400, {'body': ''}), (400, {'body': '[' * 100000}),
            (431, {'headers': {**JSON, 'X': 'a' * 9000}})):
        status, text, response = webhook.post(**{'body': body, **arguments})
        assert status == expected, (expected, arguments, status, text)
        if expected == 405:
            assert response.getheader('Allow') == 'POST'
        if expected != 200:
            told = json.loads(text)
            assert told['kind'] == 'Status' and told['code'] == expected and told['message'], told


def a_body_over_the_limit_is_refused_before_it_is_sent(webhook):
    for size in (7 * 2**20 + 1, 64 * 2**20, 10**15):
        answer = webhook.raw(b'POST /mutate HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n'
                             b'Content-Length: %d\r\n\r\n' % size)
        assert answer.startswith(b'HTTP/1.1 413 ') and b'7 MiB' in answer, answer[:200]
    answer = webhook.raw(b'POST /mutate HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n'
                         b'Content-Length: 99999999\r\n\r\n')
    assert answer.startswith(b'HTTP/1.1 413 '), answer[:200]


def a_body_in_chunks_is_counted(webhook):
    body = json.dumps(review(pod())).encode()
    head = b'POST /mutate HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n'
    chunks = b''.join(b'%x\r\n%s\r\n' % (len(body[i:i + 100]), body[i:i + 100]) for i in range(0, len(body), 100))
    answer = webhook.raw(head + chunks + b'0\r\n\r\n')
    assert answer.startswith(b'HTTP/1.1 200 ') and b'JSONPatch' in answer, answer[:300]
    piece = b'100000\r\n' + b' ' * 0x100000 + b'\r\n'
    answer = webhook.raw(head + piece * 8)
    assert answer.startswith(b'HTTP/1.1 413 '), answer[:200]
    assert webhook.raw(head + b'5;x=y\r\nhello\r\n0\r\n\r\n').startswith(b'HTTP/1.1 400 ')


def what_two_readers_might_read_differently_is_refused(webhook):
    for lines, status in ((b'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', 400),
                          (b'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', 400),
                          (b'Transfer-Encoding: gzip, chunked\r\n', 501), (b'Content-Length: 5\r\nContent-Length: 5\r\n', 400),
                          (b'Content-Length: +5\r\n', 400), (b'Content-Length : 5\r\n', 400), (b' folded\r\n', 400),
                          (b'Expect: something\r\n', 417)):
        answer = webhook.raw(b'POST /mutate HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n' + lines + b'\r\nhello')
        assert answer.startswith(b'HTTP/1.1 %d ' % status), (lines, answer[:100])
    for start, status in ((b'POST /mutate HTTP/2.0\r\n\r\n', 505), (b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505),
                          (b'POST  /mutate HTTP/1.1\r\n\r\n', 400), (b'\x16\x03\x01\r\n\r\n', 400)):
        answer = webhook.raw(start)
        assert answer.startswith(b'HTTP/1.1 %d ' % status), (start, answer[:100])
    old = b'POST /mutate HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n0\r\n\r\n'
    assert webhook.raw(old).startswith(b'HTTP/1.1 400 ')


def expect_100_continue_is_answered(webhook):
    body = json.dumps(review(pod())).encode()
    with webhook.connect() as connection:
        connection.settimeout(5)
        connection.sendall(b'POST /mutate HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n'
                           b'Connection: close\r\nContent-Length: %d\r\n\r\n' % len(body))
        assert connection.recv(100) == b'HTTP/1.1 100 Continue\r\n\r\n'
        connection.sendall(body)
        assert connection.recv(100).startswith(b'HTTP/1.1 200 ')


def many_reviews_go_over_one_connection(webhook):
    client = webhook.client()
    before = webhook.metric('secret_injector_admission_connections_total')
    for _ in range(200):
        assert webhook.post(review(pod()), client=client)[0] == 200
    assert webhook.metric('secret_injector_admission_connections_total') == before + 1
    # Two in one write, answered in their order.
    body = json.dumps(review(pod())).encode()
    head = b'POST /mutate HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: %d\r\n' % len(body)
    answer = webhook.raw(head + b'\r\n' + body + head + b'Connection: close\r\n\r\n' + body)
    assert answer.count(b'HTTP/1.1 200 OK') == 2, answer[:200]


def old_tls_is_refused_and_new_tls_taken(webhook):
    for version, good in (('-tls1', False), ('-tls1_1', False), ('-tls1_2', True), ('-tls1_3', True)):
        done = subprocess.run(['openssl', 's_client', version, '-cipher', 'DEFAULT@SECLEVEL=0', '-connect',
                               f'127.0.0.1:{webhook.port}', '-CAfile', str(webhook.folder / 'ca.crt'),
                               '-verify_return_error', '-alpn', 'h2,http/1.1'], input='', capture_output=True, text=True)
        assert (done.returncode == 0) == good, (version, done.stdout, done.stderr)
        if good:
            assert 'ALPN protocol: http/1.1' in done.stdout, done.stdout
    weak = subprocess.run(['openssl', 's_client', '-tls1_2', '-cipher', 'AES128-SHA:ECDHE-ECDSA-AES128-SHA', '-connect',
                           f'127.0.0.1:{webhook.port}'], input='', capture_output=True, text=True)
    assert weak.returncode != 0


def sessions_are_resumed(webhook):
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = webhook.context()
        context.minimum_version = context.maximum_version = version
        body = json.dumps(review(pod())).encode()
        session = None
        for _ in range(2):
            with webhook.connect(context, session) as connection:
                connection.sendall(b'POST /mutate HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n'
                                   b'Content-Length: %d\r\n\r\n' % len(body) + body)
                assert connection.recv(65536).startswith(b'HTTP/1.1 200')
                assert connection.session_reused == (session is not None), version
                session = connection.session
    assert webhook.metric('secret_injector_admission_handshakes_total{result="resumed"}') >= 2


def curl_and_plain_http_are_answered_sensibly(webhook):
    (webhook.folder / 'review').write_text(json.dumps(review(pod())))
    url = f'https://localhost:{webhook.port}/mutate?timeout=5s'
    answer = run('curl', '-sS', '--noproxy', '*', '--cacert', webhook.folder / 'ca.crt', '-H', 'Content-Type: application/json', '-d',
                 f'@{webhook.folder}/review', url).stdout
    assert json.loads(answer)['response']['allowed']
    with socket.create_connection(('127.0.0.1', webhook.port), 5) as plain:
        plain.sendall(b'GET / HTTP/1.1\r\n\r\n')
        plain.settimeout(5)
        try:
            while plain.recv(1000):
                pass
        except ConnectionError:
            pass
    assert webhook.post(review(pod()))[0] == 200


def malformed(count):
    """Reviews that are none, each with the canary inside; as text or bytes."""
    chance = random.Random(7)
    good = pod(annotations={'secret-injector.io/secret.db': 'vault:' + CANARY, CANARY: CANARY})
    good['spec']['containers'][0]['env'] = [{'name': 'A', 'value': CANARY}]
    yield from ('', 'null', '[]', '"' + CANARY + '"', '{', '{"a":' * 2000, '{"request":null}')
    yield json.dumps(review(good)) + CANARY
    yield json.dumps(review(good))[:-1]
    yield json.dumps(review(good)).replace('"shop"', 'NaN')
    yield json.dumps(review(good)).replace(CANARY, CANARY + '\\ud800')
    yield json.dumps(review(good)).encode().replace(b'"Pod"', b'"\xff\xfe' + CANARY.encode() + b'"')
    yield json.dumps(review(good, uid=None))
    yield json.dumps(review(good, uid={'a': CANARY}))
    yield json.dumps(review(good, operation=CANARY))
    yield json.dumps(review(good, kind=CANARY))
    yield json.dumps(review(good, namespace=[CANARY]))
    yield json.dumps(review([good]))
    yield json.dumps({**review(good), 'apiVersion': 'admission.k8s.io/v1beta1'})
    many = json.loads(json.dumps(good))
    many['spec']['containers'] = [{'name': f'c{i}', 'image': CANARY} for i in range(1000)]
    yield json.dumps(review(many))
    leaves = ('metadata', 'labels', 'annotations', 'spec', 'containers', 'name', 'namespace', 'image', 'env')
    odd = (None, CANARY, 7, -1.5, True, [], {}, [CANARY], {CANARY: CANARY}, [[[]]], {'a': None}, 10**30, '\u202e' + CANARY)

    def spoiled(value):
        if isinstance(value, dict):
            return {k: chance.choice(odd) if k in leaves and chance.random() < 0.2 else spoiled(v) for k, v in value.items()}
        if isinstance(value, list):
            return [chance.choice(odd) if chance.random() < 0.2 else spoiled(v) for v in value]
        return value
    for i in range(count):
        text = json.dumps(review(spoiled(good)))
        if i % 2:
            yield text
            continue
        data = bytearray(text.encode())
        for _ in range(chance.randint(1, 4)):
            how, at = chance.randint(0, 2), chance.randrange(len(data))
            if how == 0:
                data[at] = chance.randrange(256)
            elif how == 1:
                del data[at:at + chance.randint(1, 40)]
            else:
                data[at:at] = data[at:at + chance.randint(1, 40)]
        yield bytes(data)


def malformed_reviews_are_refused_and_leave_nothing_in_the_log(webhook):
    client, seen, asked = webhook.client(), {}, 0
    for body in malformed(600):
        asked += 1
        status, text, response = webhook.post(body, client=client)
        assert status in (200, 400, 413), (status, text, body[:300])
        if status == 200:
            answer = json.loads(text)['response']
            assert answer['uid'], answer
            status = 'allowed' if answer['allowed'] else 'denied'
        else:
            assert CANARY.encode() not in text, (text, body[:300])
        seen[status] = seen.get(status, 0) + 1
        if response.getheader('Connection') == 'close':
            client = webhook.client()
    assert asked >= 600 and seen[400] > 100 and seen['denied'] > 50, seen
    assert webhook.process.poll() is None
    assert CANARY not in webhook.log.read_text(), 'the log holds what an object held'
    assert CANARY not in webhook.probe('/metrics')[1]
    counted = sum(webhook.metric('secret_injector_admission_requests_total{result="%s"}' % r)
                  for r in ('patched', 'unchanged', 'denied', 'malformed', 'failed'))
    assert counted >= asked and webhook.metric('secret_injector_admission_requests_total{result="failed"}') == 0


def each_admission_leaves_one_line_of_ecs(webhook):
    before = len(webhook.lines())
    webhook.admit(pod())
    lines = [line for line in webhook.lines()[before:] if line.get('event.action') == 'admission']
    assert len(lines) == 1, lines
    line = lines[0]
    assert line['orchestrator.namespace'] == 'shop' and line['result'] == 'patched' and line['event.id'] == UID, line
    assert isinstance(line['event.duration'], int) and line['event.duration'] > 0 and line['event.outcome'] == 'success'
    assert set(line) <= {'@timestamp', 'log.level', 'message', 'ecs.version', 'service.name', 'service.version',
                         'event.action', 'event.outcome', 'event.duration', 'event.id', 'result',
                         'orchestrator.namespace', 'orchestrator.resource.type'}, set(line)


def slow_and_silent_connections_are_closed_after_ten_seconds(webhook):
    """220 of them, in eleven ways; the good ones beside them are answered."""
    context = webhook.context()

    def silent():
        return socket.create_connection(('127.0.0.1', webhook.port))

    def half_handshake():
        raw = silent()
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        half = context.wrap_bio(incoming, outgoing, server_hostname='localhost')
        try:
            half.do_handshake()
        except ssl.SSLWantReadError:
            pass
        raw.sendall(outgoing.read()[:100])
        return raw

    def shaken(data):
        def make():
            connection = webhook.connect(context)
            connection.sendall(data)
            return connection
        return make
    head = b'POST /mutate HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n'
    ways = [silent, half_handshake, shaken(b''), shaken(b'P'), shaken(head), shaken(head + b'Content-Length: 100\r\n\r\n'),
            shaken(head + b'Content-Length: 100\r\n\r\n{'), shaken(head + b'Transfer-Encoding: chunked\r\n\r\n'),
            shaken(head + b'Transfer-Encoding: chunked\r\n\r\n5\r\nhel'), shaken(head + b'Expect: 100-continue\r\nContent-Length: 9\r\n\r\n'),
            shaken(head + b'Content-Length: 7000000\r\n\r\n' + b' ' * 40000)]
    begun = time.monotonic()
    crowd = [ways[i % len(ways)]() for i in range(220)]
    drip = [c for i, c in enumerate(crowd) if i % len(ways) in (3, 4)]
    latest = time.monotonic()
    while time.monotonic() < latest + 8:
        for connection in drip:
            try:
                connection.send(b'x')
            except OSError:
                pass
        assert webhook.post(review(pod()))[0] == 200
        time.sleep(0.5)
    assert webhook.metric('secret_injector_admission_connections') > 150
    wait_until(lambda: webhook.metric('secret_injector_admission_connections') == 0, latest + 10.6 - time.monotonic(), 'the end of all')
    assert webhook.metric('secret_injector_admission_connections_closed_total{reason="deadline"}') >= 215
    assert webhook.metric('secret_injector_admission_body_bytes') == 0
    assert time.monotonic() - begun > 9.5
    for connection in crowd:
        connection.close()


def a_client_that_does_not_read_is_let_go(webhook):
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.connect(('127.0.0.1', webhook.port))
    connection = webhook.context().wrap_socket(raw, server_hostname='localhost')
    body = json.dumps(review(pod())).encode()
    one = b'POST /mutate HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n' % len(body) + body
    connection.settimeout(0.5)
    try:
        for _ in range(4000):
            connection.sendall(one)
    except (TimeoutError, OSError):
        pass
    assert webhook.post(review(pod()))[0] == 200
    wait_until(lambda: webhook.metric('secret_injector_admission_connections') == 0, 12, 'its end')
    raw.close()


def large_bodies_at_once_are_shed_and_memory_stays_bounded(webhook):
    """More than the budget holds at once; pods still come through."""
    head = b'POST /mutate HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 7000000\r\n\r\n'
    crowd, answers = [], []
    for _ in range(8):
        connection = webhook.connect()
        connection.settimeout(3)
        try:
            connection.sendall(head + b' ' * 6_900_000)
        except (OSError, ssl.SSLError):
            pass
        crowd.append(connection)
        assert webhook.post(review(pod()))[0] == 200
    keeps_within(webhook, 64, 'eight large bodies')
    assert webhook.metric('secret_injector_admission_body_bytes') <= 33 * 2**20
    for connection in crowd:
        connection.settimeout(0.2)
        try:
            answers.append(connection.recv(1000))
        except (OSError, ssl.SSLError):
            answers.append(b'')
        connection.close()
    refused = [a for a in answers if a.startswith(b'HTTP/1.1 503')]
    assert refused and b'Retry-After: 1' in refused[0] and b'try again' in refused[0], [a[:60] for a in answers]
    assert webhook.metric('secret_injector_admission_rejected_total{reason="shed"}') >= 1


def four_bodies_of_64_mib_at_once_stay_under_64_mib(webhook):
    def send(chunked):
        with webhook.connect() as connection:
            connection.settimeout(10)
            length = b'Transfer-Encoding: chunked\r\n\r\n' if chunked else b'Content-Length: 67108864\r\n\r\n'
            try:
                connection.sendall(b'POST /mutate HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n' + length)
                for _ in range(64):
                    connection.sendall((b'100000\r\n' if chunked else b'') + b' ' * 2**20 + (b'\r\n' if chunked else b''))
            except (OSError, ssl.SSLError):
                pass
            try:
                return connection.recv(1000)[:13]
            except (OSError, ssl.SSLError):
                return b''
    peak, done = 0, threading.Event()

    def watch():
        nonlocal peak
        while not done.is_set():
            peak = max(peak, webhook.resident_mib())
            time.sleep(0.005)
    watcher = threading.Thread(target=watch)
    watcher.start()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        sized = list(pool.map(send, [False] * 4))
        chunks = list(pool.map(send, [True] * 4))
    done.set()
    watcher.join()
    assert all(a in (b'HTTP/1.1 413 ', b'') for a in sized) and b'HTTP/1.1 413 ' in sized, sized
    assert all(a in (b'HTTP/1.1 413 ', b'HTTP/1.1 503 ', b'') for a in chunks), chunks
    if not webhook.sanitized():
        assert peak <= 64, peak


def hostile_json_of_seven_mib_stays_under_64_mib(webhook):
    for piece in ('[],', '{},', '0,', '"",', '{"a":[]},', '[[[[[[]]]]]],', '"\\u0041",'):
        text = json.dumps(review({'metadata': {}, 'a': ['@']})).replace('"@"', piece * (7_000_000 // len(piece)) + '0')
        begun = time.monotonic()
        status, _, _ = webhook.post(text)
        assert status == 413, (piece, status)
        assert time.monotonic() - begun < 5
        keeps_within(webhook, 64, piece)
        skipped = json.dumps(review(pod(), oldObject={'a': ['@']})).replace('"@"', piece * (6_900_000 // len(piece)) + '0')
        status, text, _ = webhook.post(skipped)
        assert status == 200 and json.loads(text)['response']['allowed'], (piece, status)
    keys = ','.join(f'"{i:x}":{{}}' for i in range(500_000))
    assert webhook.post(json.dumps(review({'metadata': {}})).replace('"metadata": {}', keys))[0] == 413
    keeps_within(webhook, 64, 'many keys')


def a_full_house_makes_room_for_the_new(webhook):
    """More silent connections than there may be: the oldest go, and whoever has something to say is heard."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2000:
        return f'only {hard} descriptors'
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    crowd = []
    try:
        for i in range(1300):
            crowd.append(socket.create_connection(('127.0.0.1', webhook.port), 5))
            if i % 100 == 0:
                assert webhook.post(review(pod()))[0] == 200
        wait_until(lambda: webhook.metric('secret_injector_admission_connections_closed_total{reason="evicted"}') >= 250, 5, 'room')
        assert webhook.metric('secret_injector_admission_connections') <= 1030
        assert webhook.post(review(pod()))[0] == 200
    finally:
        for connection in crowd:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def certificates_are_replaced_under_load_without_a_failed_handshake(webhook):
    make_authority(webhook.folder, 'second')
    context = ssl.create_default_context(cafile=str(webhook.folder / 'ca.crt'))
    context.load_verify_locations(str(webhook.folder / 'second.crt'))
    for i in range(8):
        make_leaf(webhook.folder, f'n{i}', 'second' if i % 2 else 'ca', kind=('rsa:2048',) if i == 3 else ('ec', '-pkeyopt', 'ec_paramgen_curve:P-256'))
    stop, seen, failures = threading.Event(), set(), []

    def shake():
        while not stop.is_set():
            try:
                with webhook.connect(context) as connection:
                    seen.add(dict(x[0] for x in connection.getpeercert()['subject'])['commonName'])
            except OSError as error:
                failures.append(error)
    threads = [threading.Thread(target=shake) for _ in range(3)]
    for thread in threads:
        thread.start()
    begun = webhook.metric('secret_injector_certificate_reloads_total{result="success"}')
    for i in range(8):
        if i == 5:  # The key half-way written, and then one of another certificate.
            (webhook.folder / 'tls.key').write_bytes((webhook.folder / 'n5.key').read_bytes()[:100])
            time.sleep(1.3)
        for part in ('crt', 'key'):
            fresh = webhook.folder / f'fresh.{part}'
            fresh.write_bytes((webhook.folder / f'n{i}.{part}').read_bytes())
            fresh.rename(webhook.folder / f'tls.{part}')
            time.sleep(0.05 if i != 6 else 1.3)
        wait_until(lambda: f'n{i}' in seen, 5, f'certificate n{i}')
    stop.set()
    for thread in threads:
        thread.join()
    assert not failures, failures[:3]
    assert webhook.metric('secret_injector_certificate_reloads_total{result="success"}') == begun + 8
    assert webhook.metric('secret_injector_certificate_reloads_total{result="failure"}') >= 2


def a_mounted_secret_is_followed_through_its_data_link(binary):
    """As the kubelet does it: ..data is a link to a folder, and another takes its place by a rename."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix='webhook-mount-'))
    make_authority(folder)
    for name in ('one', 'two'):
        (folder / name).mkdir()
        make_leaf(folder, 'tls')
        for part in ('tls.crt', 'tls.key'):
            shutil.move(folder / part, folder / name / part)
    (folder / '..data').symlink_to('one')
    for part in ('tls.crt', 'tls.key'):
        (folder / part).symlink_to('..data/' + part)
    webhook = Webhook(binary, own=True, more=('--tls-cert', str(folder / 'tls.crt'), '--tls-key', str(folder / 'tls.key')))
    shutil.copy(folder / 'ca.crt', webhook.folder / 'ca.crt')

    def serial():
        with webhook.connect() as connection:
            return connection.getpeercert()['serialNumber']
    first = serial()
    (folder / '..tmp').symlink_to('two')
    (folder / '..tmp').rename(folder / '..data')
    wait_until(lambda: serial() != first, 5, 'the new certificate')
    assert webhook.stop() == 0
    shutil.rmtree(folder)


def an_expired_certificate_makes_it_unready_and_says_so(binary):
    folder = pathlib.Path(tempfile.mkdtemp(prefix='webhook-expired-'))
    make_authority(folder)
    make_leaf(folder, 'tls', days='-1')
    webhook = Webhook(binary, own=True, more=('--tls-cert', str(folder / 'tls.crt'), '--tls-key', str(folder / 'tls.key')))
    status, text = webhook.probe('/readyz')
    assert status == 503 and 'certificate' in text, (status, text)
    assert webhook.probe('/livez')[0] == 200
    assert webhook.metric('secret_injector_certificate_expiry_timestamp_seconds{certificate="serving"}') < time.time()
    make_leaf(folder, 'tls')
    wait_until(lambda: webhook.probe('/readyz')[0] == 200, 5, 'readiness')
    assert webhook.stop() == 0
    shutil.rmtree(folder)


def a_policy_is_reloaded_and_a_bad_one_leaves_the_old(binary):
    text = 'stores:\n  vault:\n    vault: { address: "https://vault.vault.svc:8200", role: shop }\n'
    webhook = Webhook(binary, policy=text)
    path = webhook.folder / 'policy.yaml'
    first = webhook.admit(pod())
    assert first['allowed'], first
    path.write_text(text.replace('vault.vault.svc', 'elsewhere.svc'))
    wait_until(lambda: webhook.admit(pod()).get('patch') != first['patch'], 5, 'the new policy')
    second = webhook.admit(pod())
    path.write_text('stores: [' + CANARY)
    wait_until(lambda: webhook.metric('secret_injector_policy_good') == 0, 5, 'the complaint')
    assert webhook.admit(pod()) == second
    told = [line for line in webhook.lines() if line.get('event.action') == 'load-policy' and 'error.message' in line]
    assert len(told) == 1 and told[0]['log.level'] == 'error' and CANARY not in json.dumps(told), told
    path.unlink()
    time.sleep(1.3)
    assert webhook.admit(pod()) == second
    path.write_text(text)
    wait_until(lambda: webhook.admit(pod()) == first, 5, 'the first policy again')
    assert webhook.metric('secret_injector_policy_good') == 1
    assert webhook.stop() == 0


def probes_and_metrics_are_as_prometheus_wants_them(webhook):
    for path in ('/livez', '/readyz', '/startupz', '/healthz'):
        assert webhook.probe(path) == (200, 'ok\n')
    assert webhook.probe('/nonsense')[0] == 404
    if not shutil.which('promtool'):
        return 'promtool is not installed'
    page = webhook.probe('/metrics')[1]
    done = subprocess.run(['promtool', 'check', 'metrics'], input=page, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr + done.stdout
    assert 'secret_injector_admission_duration_seconds_bucket{le="0.005"}' in page


def sigterm_drains_with_readiness_false_first(binary):
    webhook = Webhook(binary, delay=2)
    client, count, failures, stop = webhook.client(), 0, [], threading.Event()

    def load():
        """As the API server does: connections kept, made anew when asked; only new connections may fail at the end."""
        nonlocal client, count
        while not stop.is_set():
            try:
                status, _, response = webhook.post(review(pod()), client=client)
                assert status == 200
                count += 1
                if response.getheader('Connection') == 'close':
                    client = webhook.client()
            except ConnectionRefusedError:
                return
            except (OSError, http.client.HTTPException) as error:
                failures.append(repr(error))
                return
    thread = threading.Thread(target=load)
    thread.start()
    slow = webhook.connect()
    body = json.dumps(review(pod())).encode()
    time.sleep(0.3)
    slow.sendall(b'POST /mutate HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n' % len(body) + body[:50])
    idle = webhook.client()
    webhook.post(review(pod()), client=idle)
    begun = time.monotonic()
    webhook.process.send_signal(signal.SIGTERM)
    wait_until(lambda: webhook.probe('/readyz')[0] == 503, 1, 'readiness going')
    assert 'draining' in webhook.probe('/readyz')[1] and webhook.probe('/livez')[0] == 200
    assert time.monotonic() - begun < 1
    status, _, response = webhook.post(review(pod()), client=idle)
    assert status == 200 and response.getheader('Connection') == 'close'
    time.sleep(max(0, begun + 2.3 - time.monotonic()))
    slow.sendall(body[50:])
    slow.settimeout(5)
    assert slow.recv(100).startswith(b'HTTP/1.1 200'), 'what was under way was cut'
    assert webhook.process.wait(5) == 0
    assert time.monotonic() - begun < 5
    stop.set()
    thread.join()
    assert not failures and count > 20, (failures, count)
    webhook.stop()


def nobody_can_look_into_the_process(webhook):
    status = pathlib.Path(f'/proc/{webhook.process.pid}/status').read_text()
    assert re.search(r'NoNewPrivs:\s+1', status)
    limits = pathlib.Path(f'/proc/{webhook.process.pid}/limits').read_text()
    assert re.search(r'Max core file size\s+0\s+0', limits)
    assert os.stat(f'/proc/{webhook.process.pid}/mem').st_uid == 0
    assert re.search(r'Threads:\s+1\n', status), 'more than one thread'


def a_start_that_cannot_be_is_refused_by_the_options_name(binary):
    folder = pathlib.Path(tempfile.mkdtemp(prefix='webhook-start-'))
    make_authority(folder)
    make_leaf(folder, 'tls')
    make_leaf(folder, 'other')
    files = ['--tls-cert', folder / 'tls.crt', '--tls-key', folder / 'tls.key']
    usual = ['--listen', '127.0.0.1:0', '--health', '127.0.0.1:0']
    (folder / 'bad.yaml').write_text('nonsense: ' + CANARY)
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        port = taken.getsockname()[1]
        for arguments, words in (
                (['--tls-cert', folder / 'none', '--tls-key', folder / 'tls.key', *usual], '--tls-cert'),
                (['--tls-cert', folder / 'tls.crt', '--tls-key', folder / 'other.key', *usual], 'not that of'),
                ([*files, '--listen', f'127.0.0.1:{port}', '--health', '127.0.0.1:0'], '--listen'),
                ([*files, '--listen', '127.0.0.1:0', '--health', f'127.0.0.1:{port}'], '--health'),
                ([*files, '--listen', 'localhost:0'], '--listen'),
                ([*files, *usual, '--policy', folder / 'none'], '--policy'),
                ([*files, *usual, '--policy', folder / 'bad.yaml'], '--policy'),
                (['--self-managed', '--service=a', '--secret=b', '--lease=c', '--webhook-configuration=d', '--service-account',
                  folder, *usual], '--namespace'),
                (['--self-managed', '--service=a', '--secret=b', '--lease=c', '--webhook-configuration=d', '--namespace=n',
                  '--service-account', folder, *usual], '--api-server')):
            done = subprocess.run([binary, *map(str, arguments)], capture_output=True, text=True, timeout=10)
            assert done.returncode == 2 and words in done.stderr, (arguments, done.returncode, done.stderr)
            assert CANARY not in done.stderr
    shutil.rmtree(folder)


def certificates_are_made_published_and_shared_by_two_replicas(binary):
    folder = pathlib.Path(tempfile.mkdtemp(prefix='webhook-own-'))
    make_authority(folder)
    make_leaf(folder, 'api')
    (folder / 'token').write_text('a-token')
    (folder / 'namespace').write_text('secret-injector')
    api = ApiServer(folder / 'api.crt', folder / 'api.key', 'a-token')
    space = 'secret-injector'
    hook = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/hook'
    secret = f'/api/v1/namespaces/{space}/secrets/certs'
    api.put(hook, {'metadata': {'name': 'hook'}, 'webhooks': [{'name': 'a', 'clientConfig': {}}, {'name': 'b', 'clientConfig': {}}]})
    api.put(secret, {'metadata': {'name': 'certs'}})
    api.put(f'/apis/coordination.k8s.io/v1/namespaces/{space}/leases/lead', {'metadata': {'name': 'lead'}})
    own = ('--self-managed', '--service', 'hook', '--secret', 'certs', '--lease', 'lead', '--webhook-configuration', 'hook',
           '--api-server', f'https://localhost:{api.port}', '--service-account', str(folder))
    pair = [Webhook(binary, own=True, more=own) for _ in range(2)]
    try:
        for webhook in pair:
            wait_until(lambda: webhook.probe('/readyz')[0] == 200, 15, 'readiness')
        wait_until(lambda: all('caBundle' in w['clientConfig'] for w in api.get(hook)['webhooks']), 15, 'the bundle')
        bundle = base64.b64decode(api.get(hook)['webhooks'][0]['clientConfig']['caBundle']).decode()
        context = ssl.create_default_context(cadata=bundle)
        context.check_hostname = True
        leaves = set()
        for webhook in pair:
            raw = socket.create_connection(('127.0.0.1', webhook.port), 5)
            with context.wrap_socket(raw, server_hostname='hook.secret-injector.svc') as connection:
                leaves.add(connection.getpeercert()['serialNumber'])
        assert len(leaves) == 1, leaves
        leads = [w.metric('secret_injector_leader') for w in pair]
        assert sorted(leads) == [0, 1], leads
        assert pair[0].metric('secret_injector_certificate_expiry_timestamp_seconds{certificate="serving"}') > time.time() + 29 * 86400
        # The leader goes, and gives the leadership away; a Secret that somebody emptied is filled by the other.
        first, other = (pair[0], pair[1]) if leads[0] == 1 else (pair[1], pair[0])
        assert first.stop() == 0
        pair.remove(first)
        wait_until(lambda: other.metric('secret_injector_leader') == 1, 25, 'another leader')
        api.put(secret, {'metadata': {'name': 'certs'}})
        wait_until(lambda: 'tls.crt' in api.get(secret).get('data', {}), 25, 'the Secret')
        wait_until(lambda: base64.b64decode(api.get(hook)['webhooks'][1]['clientConfig']['caBundle']).decode() != bundle, 15, 'the new bundle')
        # The API server goes away, and what is there is served on.
        api.refuse = True
        time.sleep(1)
        assert other.probe('/readyz')[0] == 200
        log = other.log.read_text()
        assert 'PRIVATE' not in log and 'a-token' not in log
    finally:
        for webhook in pair:
            webhook.stop()
        api.stop()
        shutil.rmtree(folder)


def a_replica_without_an_api_server_waits_unready_and_ends_when_told(binary):
    folder = pathlib.Path(tempfile.mkdtemp(prefix='webhook-alone-'))
    make_authority(folder)
    (folder / 'token').write_text('a-token')
    (folder / 'namespace').write_text('n')
    webhook = Webhook(binary, own=True, more=('--self-managed', '--service', 's', '--secret', 'c', '--lease', 'l',
                                              '--webhook-configuration', 'w', '--api-server', 'https://127.0.0.1:1',
                                              '--service-account', str(folder)))
    time.sleep(0.5)
    assert webhook.probe('/readyz')[0] == 503 and webhook.probe('/startupz')[0] == 503 and webhook.probe('/livez')[0] == 200
    warned = [line for line in webhook.lines() if line['log.level'] == 'warn']
    assert warned and 'error.message' in warned[0], webhook.lines()
    begun = time.monotonic()
    assert webhook.stop() == 0
    assert time.monotonic() - begun < 5
    shutil.rmtree(folder)


WITH_WEBHOOK = [
    a_pod_that_asks_is_patched_over_tls, a_dry_run_and_a_second_review_give_the_same_bytes,
    a_wrong_pod_is_denied_with_code_and_message, what_is_no_new_pod_is_let_through, requests_are_refused_by_their_form,
    a_body_over_the_limit_is_refused_before_it_is_sent, a_body_in_chunks_is_counted,
    what_two_readers_might_read_differently_is_refused, expect_100_continue_is_answered, many_reviews_go_over_one_connection,
    old_tls_is_refused_and_new_tls_taken, sessions_are_resumed, curl_and_plain_http_are_answered_sensibly,
    malformed_reviews_are_refused_and_leave_nothing_in_the_log, each_admission_leaves_one_line_of_ecs,
    slow_and_silent_connections_are_closed_after_ten_seconds, a_client_that_does_not_read_is_let_go,
    large_bodies_at_once_are_shed_and_memory_stays_bounded, four_bodies_of_64_mib_at_once_stay_under_64_mib,
    hostile_json_of_seven_mib_stays_under_64_mib, a_full_house_makes_room_for_the_new,
    certificates_are_replaced_under_load_without_a_failed_handshake, probes_and_metrics_are_as_prometheus_wants_them,
    nobody_can_look_into_the_process]
WITH_BINARY = [
    a_mounted_secret_is_followed_through_its_data_link, an_expired_certificate_makes_it_unready_and_says_so,
    a_policy_is_reloaded_and_a_bad_one_leaves_the_old, sigterm_drains_with_readiness_false_first,
    a_start_that_cannot_be_is_refused_by_the_options_name, certificates_are_made_published_and_shared_by_two_replicas,
    a_replica_without_an_api_server_waits_unready_and_ends_when_told]


def main():
    binary = os.path.abspath(sys.argv[1])
    wanted = sys.argv[2:]
    for test in WITH_WEBHOOK + WITH_BINARY:
        if wanted and test.__name__ not in wanted:
            continue
        begun, webhook = time.monotonic(), None
        try:
            if test in WITH_WEBHOOK:
                webhook = Webhook(binary)
                skipped = test(webhook)
                assert webhook.process.poll() is None, 'the program ended'
                webhook, code = None, webhook.stop()
                assert code == 0, f'exit code {code}'
            else:
                skipped = test(binary)
            results['skipped' if skipped else 'passed'] += 1
            if skipped:
                print(f'SKIPPED: {test.__name__}: {skipped}')
        except Exception:  # pylint: disable=broad-except
            results['failed'] += 1
            print(f'FAILED: {test.__name__}')
            traceback.print_exc(file=sys.stdout)
            if webhook:
                print(webhook.log.read_text()[-1500:])
                webhook.process.kill()
                webhook.process.wait()
        if wanted or time.monotonic() - begun > 20:
            print(f'  {test.__name__}: {time.monotonic() - begun:.1f} s')
    print('  {passed} passed, {failed} failed, {skipped} skipped'.format(**results))
    return 1 if results['failed'] or not results['passed'] else 0


if __name__ == '__main__':
    sys.exit(main())
