"""A real OpenBao that pods can reach: it keeps its data over a restart, and knows the cluster's service accounts."""
import http.client
import json
import os
import pathlib
import re
import ssl
import urllib.parse

import cluster as cluster_module
import tools

HOST = cluster_module.HOST
NAME = 'openbao.openbao.svc'     # the name of the policy's default store, which its certificate carries, too


class Store:
    def __init__(self, cluster, port=8200):
        self.cluster = cluster
        self.port = port
        self.folder = cluster.folder / 'store'
        self.authority = cluster_module.Authority(self.folder, 'store')
        self.authority.issue('server', '/CN=store', f'DNS:localhost,IP:127.0.0.1,IP:{HOST}')
        self.ca = self.authority.ca
        # As in a cluster where the store's certificate comes from the cluster's own authority.
        cluster.authority.issue('openbao', '/CN=openbao', f'DNS:{NAME},DNS:{NAME}.cluster.local')
        inside = cluster.authority.folder
        self.url = f'https://{HOST}:{port}'
        self.context = ssl.create_default_context(cafile=str(self.ca))
        self.token = ''
        (self.folder / 'data').mkdir()
        (self.folder / 'seal.key').write_bytes(os.urandom(32))
        (self.folder / 'bao.hcl').write_text(f'''disable_mlock = true
api_addr = "{self.url}"
cluster_addr = "https://127.0.0.1:{port + 1}"
storage "raft" {{
  path = "{self.folder}/data"
  node_id = "n1"
}}
listener "tcp" {{
  address = "0.0.0.0:{port}"
  cluster_address = "127.0.0.1:{port + 1}"
  tls_cert_file = "{self.folder}/server.crt"
  tls_key_file = "{self.folder}/server.key"
}}
listener "tcp" {{
  address = "{HOST}:{port + 100}"
  cluster_address = "127.0.0.1:{port + 2}"
  tls_cert_file = "{inside}/openbao.crt"
  tls_key_file = "{inside}/openbao.key"
}}
seal "static" {{
  current_key_id = "k1"
  current_key = "file://{self.folder}/seal.key"
}}
audit "file" "f" {{
  options = {{ file_path = "{self.folder}/audit.log" }}
}}
''')
        self.start()
        status, body = self.call('PUT', 'sys/init', {'recovery_shares': 1, 'recovery_threshold': 1})
        assert status == 200, (status, body)
        self.token = body['root_token']
        self.healthy()
        self.provision()

    def start(self):
        self.cluster.start('openbao', tools.openbao(), 'server', f'-config={self.folder}/bao.hcl')
        self.cluster.ready('openbao', lambda: self.health() is not None)
        if self.token:
            self.healthy()

    def stop(self):
        self.cluster.stop('openbao')

    def health(self):
        try:
            return self.call('GET', 'sys/health')[0]
        except OSError:
            return None

    def healthy(self):
        self.cluster.ready('openbao', lambda: self.health() == 200)

    def call(self, method, path, body=None, token=None, namespace=None):
        connection = http.client.HTTPSConnection(HOST, self.port, context=self.context, timeout=20)
        headers = {'X-Vault-Token': token or self.token} if token or self.token else {}
        if namespace:
            headers['X-Vault-Namespace'] = namespace
        try:
            connection.request(method, '/v1/' + path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        return answer.status, json.loads(text) if text else {}

    def must(self, method, path, body=None):
        status, answer = self.call(method, path, body)
        assert status < 300, (path, status, answer)
        return answer

    def provision(self):
        """KV 2 at secret/, KV 1 at kv1/; the cluster's pods log in at auth/kubernetes and at auth/jwt."""
        self.must('POST', 'sys/mounts/secret', {'type': 'kv', 'options': {'version': '2'}})
        self.must('POST', 'sys/mounts/kv1', {'type': 'kv', 'options': {'version': '1'}})
        for name in ('kubernetes', 'jwt'):
            self.must('POST', f'sys/auth/{name}', {'type': name})
        self.must('PUT', 'sys/policies/acl/app', {'policy': 'path "secret/*" { capabilities = ["read"] }\n'
                                                            'path "kv1/*" { capabilities = ["read"] }'})
        cluster = self.cluster
        cluster.apply({'apiVersion': 'v1', 'kind': 'Namespace', 'metadata': {'name': 'openbao'}},
                      {'apiVersion': 'v1', 'kind': 'ServiceAccount', 'metadata': {'name': 'reviewer', 'namespace': 'openbao'}},
                      self.binding('token-reviewer', 'system:auth-delegator', {
                          'kind': 'ServiceAccount', 'name': 'reviewer', 'namespace': 'openbao'}),
                      self.binding('issuer-discovery', 'system:service-account-issuer-discovery', {
                          'apiGroup': 'rbac.authorization.k8s.io', 'kind': 'Group', 'name': 'system:unauthenticated'}))
        reviewer = cluster.kubectl('-n', 'openbao', 'create', 'token', 'reviewer', '--duration=24h').strip()
        authority = cluster.authority.ca.read_text()
        self.must('POST', 'auth/kubernetes/config', {'kubernetes_host': cluster.issuer, 'kubernetes_ca_cert': authority,
                                                     'token_reviewer_jwt': reviewer})
        self.must('POST', 'auth/jwt/config', {'jwks_url': cluster.issuer + '/openid/v1/jwks', 'jwks_ca_pem': authority,
                                              'bound_issuer': cluster.issuer})

    def announce(self):
        """The service openbao.openbao.svc, which leads to the second listener."""
        self.cluster.apply(
            {'apiVersion': 'v1', 'kind': 'Service', 'metadata': {'name': 'openbao', 'namespace': 'openbao'},
             'spec': {'ports': [{'name': 'api', 'port': 8200, 'targetPort': self.port + 100}]}},
            {'apiVersion': 'discovery.k8s.io/v1', 'kind': 'EndpointSlice', 'addressType': 'IPv4', 'ports': [
                {'name': 'api', 'port': self.port + 100}], 'endpoints': [{'addresses': [HOST]}],
             'metadata': {'name': 'openbao', 'namespace': 'openbao', 'labels': {'kubernetes.io/service-name': 'openbao'}}})

    @staticmethod
    def binding(name, role, subject):
        return {'apiVersion': 'rbac.authorization.k8s.io/v1', 'kind': 'ClusterRoleBinding', 'metadata': {'name': name},
                'roleRef': {'apiGroup': 'rbac.authorization.k8s.io', 'kind': 'ClusterRole', 'name': role}, 'subjects': [subject]}

    def role(self, name, namespace, account='default', audience='vault', method='kubernetes', policies='app', ttl='1h'):
        """A role for the pods of one service account."""
        if method == 'kubernetes':
            self.must('POST', f'auth/kubernetes/role/{name}', {
                'bound_service_account_names': account, 'bound_service_account_namespaces': namespace, 'audience': audience,
                'token_policies': policies, 'token_ttl': ttl})
        else:
            self.must('POST', f'auth/jwt/role/{name}', {
                'role_type': 'jwt', 'user_claim': 'sub', 'bound_audiences': [audience],
                'bound_subject': f'system:serviceaccount:{namespace}:{account}', 'token_policies': policies, 'token_ttl': ttl})

    def put(self, path, **values):
        self.must('POST', f'secret/data/{path}', {'data': values})

    def logins(self, role):
        """How often pods logged in by a role, as the audit log tells."""
        count = 0
        with open(pathlib.Path(self.folder) / 'audit.log') as lines:
            for line in lines:
                entry = json.loads(line)
                if entry.get('type') == 'response' and entry['request'].get('path', '').endswith('/login'):
                    count += (entry.get('auth') or {}).get('metadata', {}).get('role') == role
        return count

    def revocations(self, role):
        """How many tokens of that role were given back."""
        accessors, count = set(), 0
        with open(self.folder / 'audit.log') as lines:
            for line in lines:
                entry = json.loads(line)
                if entry.get('type') != 'response':
                    continue
                auth = entry.get('auth') or {}
                if entry['request'].get('path', '').endswith('/login') and auth.get('metadata', {}).get('role') == role:
                    accessors.add(auth.get('accessor'))
                elif entry['request'].get('path') == 'auth/token/revoke-self' and not entry.get('error'):
                    count += auth.get('accessor') in accessors
        return count


class Aws:
    """moto in the place of Secrets Manager and STS, over TLS, where pods reach it."""

    def __init__(self, cluster, port=15000):
        self.cluster, self.port = cluster, port
        self.url = f'https://{HOST}:{port}'
        authority = cluster_module.Authority(cluster.folder / 'aws', 'aws')
        certificate, key = authority.issue('server', '/CN=aws', f'DNS:localhost,IP:127.0.0.1,IP:{HOST}')
        self.ca = authority.ca
        self.context = ssl.create_default_context(cafile=str(self.ca))
        cluster.start('moto', tools.moto(), '-H', '0.0.0.0', '-p', port, '-c', certificate, '-k', key)

    def ready(self):
        def look():
            try:
                return self.call('GET', '/moto-api/')[0] == 200
            except OSError:
                return False
        self.cluster.ready('moto', look)

    def call(self, method, path, body=None, headers=None):
        connection = http.client.HTTPSConnection(HOST, self.port, context=self.context, timeout=20)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def put(self, name, text, role='arn:aws:iam::123456789012:role/shop'):
        """A secret, new or changed, in the account of that role. Signatures are not checked here; moto reads account and
        region out of them."""
        status, answer = self.call('POST', '/', urllib.parse.urlencode({
            'Action': 'AssumeRoleWithWebIdentity', 'Version': '2011-06-15', 'RoleArn': role, 'RoleSessionName': 'tests',
            'WebIdentityToken': 'none'}), {'Content-Type': 'application/x-www-form-urlencoded'})
        assert status == 200, (status, answer)
        key = re.search('<AccessKeyId>(.*?)<', answer).group(1)
        headers = {'Content-Type': 'application/x-amz-json-1.1', 'Authorization':
                   f'AWS4-HMAC-SHA256 Credential={key}/20260101/eu-central-1/secretsmanager/aws4_request, SignedHeaders=host, Signature=0'}
        for action, body in (('CreateSecret', {'Name': name, 'SecretString': text}),
                             ('PutSecretValue', {'SecretId': name, 'SecretString': text})):
            status, answer = self.call('POST', '/', json.dumps(body), dict(headers, **{'X-Amz-Target': f'secretsmanager.{action}'}))
            if status == 200:
                return
        raise AssertionError((status, answer))
