"""moto over TLS with signatures enforced, and a metadata service, for moto_test.cpp.

usage: serve.py FOLDER. Prints one line of JSON when all is ready; then one command a line on stdin, one answer a line on
stdout; ends with its stdin.
"""
import contextlib
import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import ssl

import boto3

folder = sys.argv[1]
region = 'eu-central-1'
certificate, key = folder + '/moto.crt', folder + '/moto.key'
subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
                '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', certificate],
               check=True, capture_output=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


port = free_port()
url = f'https://localhost:{port}'
FREE_CALLS = 5  # Those that make the user and the role; all others are checked.
server = subprocess.Popen([os.path.dirname(sys.executable) + '/moto_server', '-H', '127.0.0.1', '-p', str(port), '-c', certificate, '-k', key],
                          env={**os.environ, 'INITIAL_NO_AUTH_ACTION_COUNT': str(FREE_CALLS)},
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
trusting = ssl.create_default_context(cafile=certificate)
for _ in range(300):
    try:
        urllib.request.urlopen(url + '/moto-api/', context=trusting).read()
        break
    except OSError:
        time.sleep(0.1)


def client(service, identity='first', secret='first'):
    return boto3.client(service, region_name=region, endpoint_url=url, verify=certificate, aws_access_key_id=identity,
                        aws_secret_access_key=secret)


everything = json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': '*', 'Resource': '*'}]})
iam = client('iam')
iam.create_user(UserName='app')
iam.put_user_policy(UserName='app', PolicyName='all', PolicyDocument=everything)
user = iam.create_access_key(UserName='app')['AccessKey']
trust = {'Version': '2012-10-17',
         'Statement': [{'Effect': 'Allow', 'Principal': {'Federated': 'x'}, 'Action': 'sts:AssumeRoleWithWebIdentity'}]}
role = iam.create_role(RoleName='app', AssumeRolePolicyDocument=json.dumps(trust))['Role']['Arn']
iam.put_role_policy(RoleName='app', PolicyName='all', PolicyDocument=everything)
manager = client('secretsmanager', user['AccessKeyId'], user['SecretAccessKey'])

silent = threading.Event()
container_token = 'pod-token-1'


class Metadata(http.server.BaseHTTPRequestHandler):
    """EC2's metadata service, version 2, and the container endpoint."""

    def answer(self, code, body):
        # Who does not wait for a service that is silent is gone by now.
        with contextlib.suppress(OSError):
            self.send_response(code)
            self.send_header('Content-Length', str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

    def keys(self):
        return json.dumps({'Code': 'Success', 'AccessKeyId': user['AccessKeyId'], 'SecretAccessKey': user['SecretAccessKey'], 'Token': '',
                           'Expiration': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + 3600))}).encode()

    def do_PUT(self):
        if silent.is_set():
            time.sleep(5)
        well = self.path == '/latest/api/token' and self.headers.get('X-aws-ec2-metadata-token-ttl-seconds') == '21600'
        self.answer(200 if well else 400, b'session-token' if well else b'')

    def do_GET(self):
        role_path = '/latest/meta-data/iam/security-credentials/'
        if self.path == '/v1/credentials':
            well = self.headers.get('Authorization') == container_token
            self.answer(200 if well else 403, self.keys() if well else b'{}')
        elif self.headers.get('X-aws-ec2-metadata-token') != 'session-token':
            self.answer(401, b'')
        elif self.path == role_path:
            self.answer(200, b'app')
        elif self.path == role_path + 'app':
            self.answer(200, self.keys())
        else:
            self.answer(404, b'')

    def log_message(self, *_arguments):
        pass


metadata = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Metadata)
threading.Thread(target=metadata.serve_forever, daemon=True).start()


def obey(words):
    global container_token
    if words[0] == 'put':
        name, value = words[1], words[2]
        try:
            return manager.create_secret(Name=name, SecretString=value)['VersionId']
        except manager.exceptions.ResourceExistsException:
            return manager.put_secret_value(SecretId=name, SecretString=value)['VersionId']
    if words[0] == 'binary':
        return manager.create_secret(Name=words[1], SecretBinary=bytes.fromhex(words[2]))['VersionId']
    if words[0] == 'pending':
        return manager.put_secret_value(SecretId=words[1], SecretString=words[2], VersionStages=['AWSPENDING'])['VersionId']
    if words[0] == 'promote':
        manager.update_secret_version_stage(SecretId=words[1], VersionStage='AWSCURRENT', MoveToVersionId=words[2],
                                            RemoveFromVersionId=words[3])
        return 'done'
    if words[0] == 'delete':
        manager.delete_secret(SecretId=words[1])
        return 'done'
    if words[0] == 'free':
        urllib.request.urlopen(urllib.request.Request(url + '/moto-api/reset-auth', data=words[1].encode(), method='POST',
                                                      headers={'Content-Type': 'text/plain'}), context=trusting).read()
        return 'done'
    if words[0] == 'silent':
        silent.set() if words[1] == 'on' else silent.clear()
        return 'done'
    if words[0] == 'token':
        container_token = words[1]
        return 'done'
    return 'what?'


print(json.dumps({'url': url, 'ca': certificate, 'id': user['AccessKeyId'], 'key': user['SecretAccessKey'], 'role': role,
                  'metadata': f'http://127.0.0.1:{metadata.server_address[1]}'}), flush=True)
try:
    for line in sys.stdin:
        print(obey(json.loads(line)), flush=True)
finally:
    server.terminate()
    server.wait()
