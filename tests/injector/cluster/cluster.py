#!/usr/bin/python3
"""A real Kubernetes cluster of one node, in network, mount and process namespaces of its own.

usage: cluster.py [COMMAND...]      starts one, runs COMMAND (or a shell) inside with KUBECONFIG and PATH set, ends it

Needs root. Nothing of it is seen from outside: all addresses and ports are those of its own network namespace, which
leads nowhere, its mounts end with it, and no process outlives it.

    10.244.0.1        the machine as pods see it: API server (6443), names (53), the tests' own servers
    10.244.0.0/24     pods
    10.96.0.0/24      services (kube-proxy)
"""
import base64
import ctypes
import http.client
import json
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time

import images
import tools

NODE = 'node-1'
HOST = '10.244.0.1'
MARK = 'SCAN_SECRETS_CLUSTER'
PR_SET_PDEATHSIG = 1


class Impossible(Exception):
    """This machine cannot have a cluster; the text says why."""


def eventually(what, limit=30.0, pause=0.1, why=''):
    """The first true value of what(); AssertionError after `limit` seconds."""
    end = time.monotonic() + limit
    while True:
        value = what()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f'did not come about within {limit:.0f} s{": " + why if why else ""}')
        time.sleep(pause)


# --- outside: the namespaces, and what is left when they are gone

def controllers():
    """The folders that hold control groups: one a controller (version 1), or one for all."""
    root = pathlib.Path('/sys/fs/cgroup')
    if (root / 'cgroup.controllers').exists():
        return [root]
    return [entry for entry in root.iterdir() if (entry / 'cgroup.procs').exists() and not entry.is_symlink()]


def possible():
    if os.geteuid() != 0:
        raise Impossible('needs root')
    done = subprocess.run(['unshare', '--net', '--mount', '--pid', '--fork', '--mount-proc', 'sh', '-c',
                           'mount -t tmpfs tmpfs /mnt && ip link set lo up && ip link add t0 type bridge'],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise Impossible('no namespaces, mounts or bridges here: ' + done.stderr.strip())
    try:
        for folder in controllers() or [pathlib.Path('/sys/fs/cgroup/none')]:
            (folder / f'cluster-{os.getpid()}').mkdir()
            (folder / f'cluster-{os.getpid()}').rmdir()
    except OSError as error:
        raise Impossible(f'no control groups here: {error}') from None


def remove_groups(name):
    for folder in controllers():
        for place, _, _ in os.walk(folder / name, topdown=False):
            for _ in range(50):
                try:
                    os.rmdir(place)
                    break
                except OSError:
                    time.sleep(0.02)


def inside(arguments):
    """Runs this program again in its own namespaces, and cleans up behind it. Its exit code."""
    folder = tempfile.mkdtemp(prefix='kube-', dir='/tmp')
    group = os.path.basename(folder)
    # However this process ends, the namespaces end with it, and all that runs in them.
    process = subprocess.Popen(['unshare', '--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc',
                                sys.executable, *arguments], env=dict(os.environ, **{MARK: folder}),
                               preexec_fn=lambda: ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL))
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: process.kill())   # unshare ignores all milder ones
    try:
        return process.wait()
    finally:
        remove_groups(group)
        shutil.rmtree(folder, ignore_errors=True)


# --- inside

class Authority:
    """A certificate authority of the tests."""

    def __init__(self, folder, name):
        self.folder = folder
        self.name = name
        folder.mkdir(parents=True, exist_ok=True)
        self.run('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30', '-keyout', 'ca.key',
                 '-out', 'ca.crt', '-subj', f'/CN={name}', '-addext', 'basicConstraints=critical,CA:TRUE',
                 '-addext', 'keyUsage=critical,keyCertSign,cRLSign')
        self.ca = folder / 'ca.crt'

    def run(self, *words):
        subprocess.run(['openssl', *words], cwd=self.folder, check=True, capture_output=True)

    def issue(self, name, subject, names='', usage='serverAuth', days='30', start=None):
        """The paths of certificate and key. names: a subjectAltName. days may be negative: a certificate of the past."""
        self.run('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', f'{name}.key',
                 '-out', f'{name}.csr', '-subj', subject)
        (self.folder / f'{name}.ext').write_text(
            (f'subjectAltName={names}\n' if names else '') + f'extendedKeyUsage={usage}\nbasicConstraints=CA:FALSE\n')
        if start is None:
            self.run('x509', '-req', '-in', f'{name}.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', days,
                     '-extfile', f'{name}.ext', '-out', f'{name}.crt')
        else:   # `x509 -req` knows no start; `ca` does
            (self.folder / 'index.txt').touch()
            (self.folder / 'ca.conf').write_text(
                '[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\n'
                'policy=p\nunique_subject=no\n[p]\ncommonName=optional\n')
            self.run('ca', '-batch', '-config', 'ca.conf', '-cert', 'ca.crt', '-keyfile', 'ca.key', '-in', f'{name}.csr',
                     '-out', f'{name}.crt', '-extfile', f'{name}.ext', '-notext', '-startdate', start[0], '-enddate', start[1])
        return self.folder / f'{name}.crt', self.folder / f'{name}.key'


class Failed(Exception):
    """kubectl or helm said no; the text is what it said."""


class Cluster:
    def __init__(self, folder=None):
        self.folder = pathlib.Path(folder or os.environ[MARK])
        self.group = self.folder.name
        self.processes = {}
        self.programs = tools.kubernetes()
        self.clients = tools.clients()
        self.config = self.folder / 'admin.conf'
        os.environ['KUBECONFIG'] = str(self.config)
        os.environ['PATH'] = f'{self.clients}:{self.programs}:{os.environ["PATH"]}:/usr/sbin:/sbin'

    # processes

    def start(self, name, *command, environment=None):
        log = open(self.folder / f'{name}.log', 'ab')
        process = subprocess.Popen([str(word) for word in command], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log,
                                   stderr=log, env=dict(os.environ, **(environment or {})))
        self.processes[name] = process
        return process

    def log(self, name, last=3000):
        path = self.folder / f'{name}.log'
        return path.read_text(errors='replace')[-last:] if path.exists() else ''

    def ready(self, name, what, limit=90):
        def look():
            if self.processes[name].poll() is not None:
                raise AssertionError(f'{name} ended:\n{self.log(name)}')
            return what()
        try:
            return eventually(look, limit)
        except AssertionError as error:
            raise AssertionError(f'{name}: {error}\n{self.log(name)}') from None

    def stop(self, name, number=signal.SIGTERM, patience=5):
        process = self.processes.pop(name, None)
        if process is None or process.poll() is not None:
            return
        process.send_signal(number)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def close(self):
        """In the order that keeps each from waiting for another; what is left ends with the namespace."""
        for name in ('kubelet', 'kube-proxy', 'containerd'):
            self.stop(name, signal.SIGKILL)
        for name in list(self.processes):
            self.stop(name, signal.SIGKILL)

    # the control plane

    def network(self):
        def ip(*words):
            subprocess.run(['ip', *words], check=True)
        ip('link', 'set', 'lo', 'up')
        ip('link', 'add', 'cni0', 'type', 'bridge')
        ip('addr', 'add', f'{HOST}/24', 'dev', 'cni0')
        ip('link', 'set', 'cni0', 'up')
        ip('route', 'add', '10.96.0.0/24', 'dev', 'cni0')
        for name, value in (('ipv4/ip_forward', 1), ('bridge/bridge-nf-call-iptables', 1), ('ipv4/conf/all/route_localnet', 1)):
            path = pathlib.Path('/proc/sys/net') / name
            if path.exists():
                path.write_text(f'{value}\n')

    def control_plane(self):
        folder = self.folder
        self.network()
        authority = self.authority = Authority(folder / 'pki', 'kubernetes')
        authority.issue('server', f'/CN={NODE}', f'DNS:{NODE},DNS:localhost,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:{HOST},IP:10.96.0.1')
        for name, subject in (('admin', '/O=system:masters/CN=admin'), ('kubelet', f'/O=system:nodes/CN=system:node:{NODE}'),
                              ('kube-controller-manager', '/CN=system:kube-controller-manager'),
                              ('kube-scheduler', '/CN=system:kube-scheduler'), ('kube-proxy', '/CN=system:kube-proxy')):
            authority.issue(name, subject, usage='clientAuth')
            self.kubeconfig(name)
        authority.run('genrsa', '-out', 'sa.key', '2048')
        authority.run('rsa', '-in', 'sa.key', '-pubout', '-out', 'sa.pub')
        pki = authority.folder
        etcd = ['--data-dir', folder / 'etcd', '--unsafe-no-fsync', '--initial-cluster', 'default=http://127.0.0.1:2380']
        for name in ('listen-client-urls', 'advertise-client-urls'):
            etcd += [f'--{name}', 'http://127.0.0.1:2379']
        for name in ('listen-peer-urls', 'initial-advertise-peer-urls'):
            etcd += [f'--{name}', 'http://127.0.0.1:2380']
        (folder / 'etcd').mkdir(mode=0o700)
        self.start('etcd', 'etcd', *etcd)
        self.issuer = f'https://{HOST}:6443'
        self.start('apiserver', self.programs / 'kube-apiserver', '--etcd-servers=http://127.0.0.1:2379', '--secure-port=6443',
                   '--bind-address=0.0.0.0', f'--advertise-address={HOST}', '--service-cluster-ip-range=10.96.0.0/24',
                   f'--tls-cert-file={pki}/server.crt', f'--tls-private-key-file={pki}/server.key', f'--client-ca-file={pki}/ca.crt',
                   f'--service-account-key-file={pki}/sa.pub', f'--service-account-signing-key-file={pki}/sa.key',
                   f'--service-account-issuer={self.issuer}', '--authorization-mode=Node,RBAC', '--allow-privileged=true',
                   f'--cert-dir={folder}/certs', f'--kubelet-client-certificate={pki}/admin.crt',
                   f'--kubelet-client-key={pki}/admin.key', f'--kubelet-certificate-authority={pki}/ca.crt',
                   '--kubelet-preferred-address-types=InternalIP', '--enable-priority-and-fairness=false')
        self.context = ssl.create_default_context(cafile=str(authority.ca))
        self.context.load_cert_chain(pki / 'admin.crt', pki / 'admin.key')
        self.ready('apiserver', lambda: self.try_get('/readyz'))
        self.start('controller-manager', self.programs / 'kube-controller-manager', f'--kubeconfig={folder}/kube-controller-manager.conf',
                   '--leader-elect=false', '--bind-address=127.0.0.1', f'--cert-dir={folder}/certs',
                   f'--service-account-private-key-file={pki}/sa.key', f'--root-ca-file={pki}/ca.crt', '--use-service-account-credentials')
        self.start('scheduler', self.programs / 'kube-scheduler', f'--kubeconfig={folder}/kube-scheduler.conf', '--leader-elect=false',
                   '--bind-address=127.0.0.1', f'--cert-dir={folder}/certs')
        self.start('kube-proxy', self.programs / 'kube-proxy', f'--kubeconfig={folder}/kube-proxy.conf', '--proxy-mode=iptables',
                   '--cluster-cidr=10.244.0.0/24', f'--hostname-override={NODE}', '--conntrack-max-per-core=0',
                   '--conntrack-tcp-timeout-established=0', '--conntrack-tcp-timeout-close-wait=0', '--iptables-min-sync-period=0s',
                   '--bind-address=127.0.0.1', '--healthz-bind-address=', '--metrics-bind-address=127.0.0.1:10249')
        self.start('dns', sys.executable, pathlib.Path(__file__).resolve().parent / 'dns.py', HOST, self.config)
        self.ready('controller-manager', lambda: self.try_get('/api/v1/namespaces/default/serviceaccounts/default'))

    def kubeconfig(self, user):
        pki = self.authority.folder
        (self.folder / f'{user}.conf').write_text(json.dumps({
            'apiVersion': 'v1', 'kind': 'Config', 'current-context': 'c',
            'clusters': [{'name': 'c', 'cluster': {'server': f'https://{HOST}:6443', 'certificate-authority': f'{pki}/ca.crt'}}],
            'contexts': [{'name': 'c', 'context': {'cluster': 'c', 'user': user}}],
            'users': [{'name': user, 'user': {'client-certificate': f'{pki}/{user}.crt', 'client-key': f'{pki}/{user}.key'}}]}))

    # the node

    def snapshotter(self):
        """overlayfs, but where it cannot stand on what is below (a container's own overlay)."""
        place = self.folder / 'stack'
        for name in ('l', 'u', 'w', 'm'):
            (place / name).mkdir(parents=True)
        done = subprocess.run(['mount', '-t', 'overlay', 'overlay', '-o',
                               f'lowerdir={place}/l,upperdir={place}/u,workdir={place}/w', place / 'm'], capture_output=True, check=False)
        if done.returncode:
            return 'native'
        subprocess.run(['umount', place / 'm'], check=True)
        return 'overlayfs'

    def node(self):
        folder, pki = self.folder, self.authority.folder
        subprocess.run(['mount', '--make-rshared', '/'], check=True)
        for controller in controllers():
            place = controller / self.group
            place.mkdir()
            for name in ('cpuset.cpus', 'cpuset.mems'):   # version 1 leaves them empty, and then nothing may be started there
                if controller.name == 'cpuset' and (place / name).exists():
                    (place / name).write_text((controller / name).read_text())
        (folder / 'net.d').mkdir()
        (folder / 'net.d' / '10-bridge.conflist').write_text(json.dumps({
            'cniVersion': '1.0.0', 'name': 'bridge', 'plugins': [
                {'type': 'bridge', 'bridge': 'cni0', 'isGateway': True, 'ipMasq': False, 'hairpinMode': True,
                 'ipam': {'type': 'host-local', 'ranges': [[{'subnet': '10.244.0.0/24'}]], 'routes': [{'dst': '0.0.0.0/0'}],
                          'dataDir': f'{folder}/ipam'}}]}))
        (folder / 'containerd.toml').write_text(f'''version = 2
root = "{folder}/cri"
state = "{folder}/cri-state"
[grpc]
  address = "{folder}/c.sock"
[ttrpc]
  address = "{folder}/t.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "{folder}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "{self.snapshotter()}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{folder}/net.d"
''')
        self.start_containerd()
        made = folder / 'images'
        made.mkdir()
        self.load(images.pause(made))
        self.load(images.application(made))
        (folder / 'kubelet.yaml').write_text(json.dumps({
            'apiVersion': 'kubelet.config.k8s.io/v1beta1', 'kind': 'KubeletConfiguration', 'address': HOST, 'readOnlyPort': 0,
            'healthzBindAddress': '127.0.0.1', 'clusterDNS': [HOST], 'clusterDomain': 'cluster.local',
            'authentication': {'anonymous': {'enabled': False}, 'webhook': {'enabled': True}, 'x509': {'clientCAFile': f'{pki}/ca.crt'}},
            'authorization': {'mode': 'Webhook'}, 'tlsCertFile': f'{pki}/server.crt', 'tlsPrivateKeyFile': f'{pki}/server.key',
            'containerRuntimeEndpoint': f'unix://{folder}/c.sock', 'cgroupDriver': 'cgroupfs', 'cgroupRoot': f'/{self.group}',
            'failCgroupV1': False, 'syncFrequency': '10s',   # mounted Secrets change within that, not a minute
            'failSwapOn': False, 'enforceNodeAllocatable': [], 'oomScoreAdj': 0,
            'podLogsDir': f'{folder}/podlogs', 'volumePluginDir': f'{folder}/volplugins', 'imageGCHighThresholdPercent': 100,
            # Percentages of a disk that others fill, too, would drive pods away.
            'evictionHard': {'memory.available': '10Mi', 'nodefs.available': '0%', 'nodefs.inodesFree': '0%',
                             'imagefs.available': '0%', 'imagefs.inodesFree': '0%'}}))
        self.start_kubelet()

        def is_ready():
            node = self.try_get(f'/api/v1/nodes/{NODE}') or {}
            return any(c['type'] == 'Ready' and c['status'] == 'True' for c in node.get('status', {}).get('conditions', []))
        self.ready('kubelet', is_ready, 120)

    def start_containerd(self):
        self.start('containerd', 'containerd', '-c', self.folder / 'containerd.toml')
        self.ready('containerd', lambda: subprocess.run(['ctr', '-a', self.folder / 'c.sock', 'version'], capture_output=True,
                                                        check=False).returncode == 0)

    def start_kubelet(self):
        folder = self.folder
        self.start('kubelet', self.programs / 'kubelet', f'--config={folder}/kubelet.yaml', f'--kubeconfig={folder}/kubelet.conf',
                   f'--hostname-override={NODE}', f'--node-ip={HOST}', f'--root-dir={folder}/kubelet', f'--cert-dir={folder}/certs')

    def reboot_node(self):
        """As a power cut does it: every container and the agents at once, and what stood in memory is gone."""
        self.stop('kubelet', signal.SIGKILL)
        self.stop('containerd', signal.SIGKILL)
        groups = {file for controller in controllers() for file in (controller / self.group).rglob('cgroup.procs')}
        for _ in range(3):
            for file in groups:
                for number in file.read_text().split() if file.exists() else []:
                    self.kill(int(number))
            time.sleep(0.1)
        for number in os.listdir('/proc'):
            try:
                words = pathlib.Path(f'/proc/{number}/cmdline').read_bytes().split(b'\0') if number.isdigit() else []
            except OSError:
                continue
            if words and words[0].endswith(b'containerd-shim-runc-v2') and str(self.folder / 'c.sock').encode() in words:
                self.kill(int(number))
        with open('/proc/self/mountinfo') as mounts:
            places = [words[4] for words in map(str.split, mounts)]
        for place in sorted(places, reverse=True):
            if place.startswith((f'{self.folder}/kubelet/', f'{self.folder}/cri-state/')):
                subprocess.run(['umount', '-l', place], check=False)
        shutil.rmtree(self.folder / 'cri-state', ignore_errors=True)
        self.start_containerd()
        self.start_kubelet()

        def healthy():
            if self.processes['kubelet'].poll() is not None:   # containerd still reads what it had; systemd would start it again, too
                self.start_kubelet()
            return self.is_up(10248)
        eventually(healthy, 60, 0.3)

    @staticmethod
    def is_up(port):
        connection = http.client.HTTPConnection('127.0.0.1', port, timeout=2)
        try:
            connection.request('GET', '/healthz')
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    @staticmethod
    def kill(number):
        try:
            os.kill(number, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def load(self, tar):
        """An image into containerd, by the names that stand in the tar."""
        done = subprocess.run(['ctr', '-a', self.folder / 'c.sock', '-n', 'k8s.io', 'images', 'import', '--digests', '--base-name',
                               'localhost/unnamed', tar], capture_output=True, text=True, check=False)
        if done.returncode:
            raise AssertionError('import of an image: ' + done.stderr)

    # talking to it

    def request(self, method, path, body=None, kind='application/json'):
        connection = http.client.HTTPSConnection(HOST, 6443, context=self.context, timeout=60)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, {'Content-Type': kind})
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, text

    def get(self, path):
        status, body = self.request('GET', path)
        if status != 200:
            raise Failed(f'GET {path}: {status} {body}')
        return body

    def try_get(self, path):
        try:
            return self.get(path)
        except (OSError, http.client.HTTPException, Failed):
            return None

    def run(self, *words, stdin=None, limit=120, cwd=None):
        done = subprocess.run([str(word) for word in words], input=stdin, capture_output=True, text=True, timeout=limit, cwd=cwd,
                              check=False)
        if done.returncode:
            raise Failed((done.stderr + done.stdout).strip())
        return done.stdout

    def kubectl(self, *words, stdin=None, limit=120):
        return self.run(self.clients / 'kubectl', *words, stdin=stdin, limit=limit)

    def helm(self, *words, stdin=None, limit=180):
        return self.run(self.clients / 'helm', *words, stdin=stdin, limit=limit)

    def apply(self, *objects, namespace=None):
        """Objects, or their YAML as text."""
        text = '\n---\n'.join(o if isinstance(o, str) else json.dumps(o) for o in objects)
        return self.kubectl(*(['-n', namespace] if namespace else []), 'apply', '-f', '-', stdin=text)

    def namespace(self, name, level='restricted', labels=None):
        self.apply({'apiVersion': 'v1', 'kind': 'Namespace', 'metadata': {'name': name, 'labels': {
            'pod-security.kubernetes.io/enforce': level, **(labels or {})}}})
        eventually(lambda: self.try_get(f'/api/v1/namespaces/{name}/serviceaccounts/default'))
        return name

    def pod(self, namespace, name):
        return self.try_get(f'/api/v1/namespaces/{namespace}/pods/{name}') or {}

    def pods(self, namespace, selector=''):
        return self.get(f'/api/v1/namespaces/{namespace}/pods?labelSelector={selector}')['items']

    def events(self, namespace, name=None):
        query = f'?fieldSelector=involvedObject.name={name}' if name else ''
        return [event.get('message', '') for event in self.get(f'/api/v1/namespaces/{namespace}/events{query}')['items']]

    @staticmethod
    def is_ready(pod):
        return any(c['type'] == 'Ready' and c['status'] == 'True' for c in pod.get('status', {}).get('conditions', []))

    def wait_ready(self, namespace, name, limit=60):
        try:
            return eventually(lambda: (pod := self.pod(namespace, name)) and self.is_ready(pod) and pod, limit, 0.05)
        except AssertionError as error:
            raise AssertionError(f'pod {namespace}/{name}: {error}\n{self.describe(namespace, name)}') from None

    def describe(self, namespace, name):
        pod = self.pod(namespace, name)
        status = {key: value for key, value in pod.get('status', {}).items() if 'tatus' in key or key in ('phase', 'message', 'reason')}
        logs = []
        for container in pod.get('spec', {}).get('initContainers', []) + pod.get('spec', {}).get('containers', []):
            try:
                logs.append(f'{container["name"]}: ' + self.kubectl('-n', namespace, 'logs', name, '-c', container['name'], '--tail=30'))
            except Failed as error:
                logs.append(f'{container["name"]}: {error}')
        return json.dumps(status, indent=1)[-3000:] + '\n' + '\n'.join(self.events(namespace, name)[-10:]) + '\n' + '\n'.join(logs)

    def exec(self, namespace, name, *words, container=None):
        return self.kubectl('-n', namespace, 'exec', name, *(['-c', container] if container else []), '--', *words)

    def logs(self, namespace, name, container):
        return self.kubectl('-n', namespace, 'logs', name, '-c', container)

    def delete(self, namespace, kind, name, grace=None):
        words = ['-n', namespace, 'delete', kind, name, '--wait=true', '--timeout=60s']
        return self.kubectl(*words, *([f'--grace-period={grace}'] if grace is not None else []))


def base64_of(path):
    return base64.b64encode(pathlib.Path(path).read_bytes()).decode()


def main():
    if MARK not in os.environ:
        try:
            possible()
        except Impossible as reason:
            sys.exit(f'no cluster: {reason}')
        tools.kubernetes()
        return inside(sys.argv)
    cluster = Cluster()
    begun = time.monotonic()
    cluster.control_plane()
    up = time.monotonic()
    cluster.node()
    print(f'control plane in {up - begun:.1f} s, node in {time.monotonic() - up:.1f} s, state in {cluster.folder}', flush=True)
    try:
        return subprocess.run(sys.argv[1:] or [os.environ.get('SHELL', 'sh')], check=False).returncode
    finally:
        cluster.close()


if __name__ == '__main__':
    sys.exit(main())
