"""What the cluster's tests stand on: the cluster, the store, the images, the webhook as the chart installs it."""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import threading
import time

import images
import store as stores
from cluster import HOST, Cluster, eventually

ROOT = pathlib.Path(__file__).resolve().parents[3]
VERSION = '0.1.0'
RELEASE = 'secret-injector'        # of helm, and its namespace
LABEL = 'secret-injector.io/inject'
LISTED = f'https://{stores.NAME}:8200'


class Skipped(Exception):
    """The text is the reason."""


RESTRICTED = {'allowPrivilegeEscalation': False, 'capabilities': {'drop': ['ALL']}, 'readOnlyRootFilesystem': True}
FOR_THE_POD = {'runAsNonRoot': True, 'runAsUser': 10001, 'runAsGroup': 10001, 'seccompProfile': {'type': 'RuntimeDefault'}}
WAIT = 'trap "exit 0" TERM; while :; do sleep 0.1; done'


def pod(name, script=WAIT, annotations=None, labels=None, injected=True, account='default', security=None, **spec):
    """A pod of one container that runs a script, as *restricted* wants it."""
    return {'apiVersion': 'v1', 'kind': 'Pod',
            'metadata': {'name': name, 'annotations': annotations or {},
                         'labels': {**({LABEL: 'true'} if injected else {}), **(labels or {})}},
            'spec': {'serviceAccountName': account, 'securityContext': FOR_THE_POD if security is None else security,
                     'containers': [{'name': 'app', 'image': 'localhost/app:1', 'imagePullPolicy': 'Never',
                                     'command': ['sh', '-c', script], 'securityContext': RESTRICTED,
                                     'resources': {'requests': {'cpu': '10m', 'memory': '8Mi'}, 'limits': {'memory': '32Mi'}}}],
                     **spec}}


def ours(**annotations):
    """role='shop', secret_password='...' -> secret-injector.io/role, secret-injector.io/secret.password."""
    kinds = ('secret', 'template', 'path', 'format', 'mode', 'refresh')
    names = {}
    for key, value in annotations.items():
        stem, _, rest = key.partition('_')
        if rest and stem in kinds:
            name = f'{stem}.{rest.replace("__", ".")}'
        else:
            name = key.replace('_', '-')
        names['secret-injector.io/' + name] = value
    return names


def template(pod_object):
    """A pod as the template of a workload."""
    metadata = {key: value for key, value in pod_object['metadata'].items() if key != 'name'}
    return {'metadata': metadata, 'spec': pod_object['spec']}


def deployment(name, pod_object, replicas=1):
    inner = template(pod_object)
    inner['metadata'].setdefault('labels', {})['app'] = name
    return {'apiVersion': 'apps/v1', 'kind': 'Deployment', 'metadata': {'name': name},
            'spec': {'replicas': replicas, 'selector': {'matchLabels': {'app': name}}, 'template': inner}}


def job(name, pod_object):
    inner = template(pod_object)
    inner['spec'].setdefault('restartPolicy', 'Never')
    return {'apiVersion': 'batch/v1', 'kind': 'Job', 'metadata': {'name': name}, 'spec': {'backoffLimit': 0, 'template': inner}}


class Place:
    def __init__(self, programs):
        self.cluster = Cluster()
        self.programs = programs
        self.names = 0
        self.lock = threading.Lock()
        begun = time.monotonic()
        self.cluster.control_plane()
        with concurrent.futures.ThreadPoolExecutor() as pool:   # most of it waits
            node = pool.submit(self.cluster.node)
            store = pool.submit(stores.Store, self.cluster)
            aws = pool.submit(stores.Aws, self.cluster)
            made = pool.submit(self.make_images)
            node.result()
            self.store, self.aws = store.result(), aws.result()
            self.aws.ready()
            for tar in made.result():
                self.cluster.load(tar)
        self.store.announce()
        print(f'  a cluster of Kubernetes {self.version()}, OpenBao and the images in {time.monotonic() - begun:.1f} s', flush=True)

    def version(self):
        return self.cluster.get('/version')['gitVersion']

    def close(self):
        self.cluster.close()

    def namespace(self, level='restricted', **labels):
        """A new one, with its own service account; its name is also that of a role in the store for its pods."""
        with self.lock:
            self.names += 1
            name = f'test-{self.names}'
        self.cluster.namespace(name, level, labels)
        self.store.role(name, name)
        return name

    # images

    def make_images(self):
        """By deploy/images/Dockerfile, but for its compiling: the programs are those that were built here."""
        folder = self.cluster.folder / 'made'
        roots = folder / 'roots'
        roots.mkdir(parents=True)
        conf = folder / 'containers.conf'
        conf.write_text('[containers]\ndefault_ulimits = ["nofile=1024:1024"]\nnetns = "none"\n'
                        '[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n')
        environment = dict(os.environ, CONTAINERS_CONF=str(conf))
        buildah = ['buildah', '--root', folder / 'root', '--runroot', folder / 'run', '--storage-driver', 'vfs']
        tars = []
        for name in ('secret-injector', 'secret-webhook'):
            if not (self.programs / name).exists():
                continue
            self.cluster.run('bash', ROOT / 'deploy/images/root.sh', self.programs / name, roots / name, cwd=ROOT)
            image = f'localhost/{name}:{VERSION}'
            tar = folder / f'{name}.tar'
            for command in (['bud', '--isolation', 'chroot', '--pull-never', '--build-context', f'roots={roots}', '--target', name,
                             '-f', ROOT / 'deploy/images/Dockerfile', '-t', image, ROOT],
                            ['push', '-q', image, f'docker-archive:{tar}:{image}']):
                done = subprocess.run([str(w) for w in (*buildah, *command)], capture_output=True, text=True, env=environment,
                                      check=False)
                if done.returncode:
                    raise AssertionError(f'buildah {command[0]} {name}: {done.stderr[-2000:]}')
            tars.append(tar)
        return tars

    # the webhook

    def policy(self, **more):
        """The stores of the policy without a file, where they are here; and one where pods log in by JWT."""
        pem = self.store.ca.read_text()
        return {
            'image': f'localhost/secret-injector:{VERSION}', 'default_store': 'openbao',
            'stores': {
                'openbao': {'openbao': {'address': LISTED, 'ca': {'config_map': 'kube-root-ca.crt'}}},
                'vault': {'vault': {'address': LISTED, 'ca': {'config_map': 'kube-root-ca.crt'}}},
                'jwt': {'openbao': {'address': self.store.url, 'ca': {'pem': pem}, 'login': 'jwt'}},
                'aws': {'aws': {'region': 'eu-central-1', 'endpoint': self.aws.url, 'sts_endpoint': self.aws.url, 'ca': {
                    'pem': self.aws.ca.read_text()}}},
                **more}}

    def values(self, **more):
        return {'image': {'repository': 'localhost/secret-webhook', 'tag': VERSION}, 'policy': self.policy(), **more}

    def install(self, *words, **more):
        values = self.cluster.folder / 'values.json'
        values.write_text(json.dumps(self.values(**more)))
        cluster = self.cluster
        if not cluster.try_get(f'/api/v1/namespaces/{RELEASE}'):
            cluster.namespace(RELEASE)
        try:
            cluster.helm('upgrade', '--install', RELEASE, ROOT / 'deploy/helm/secret-injector', '-n', RELEASE, '-f', values, '--wait',
                         '--timeout', '90s', *words)
        except Exception as error:
            raise AssertionError(f'{error}\n{self.webhook_state()}') from None
        self.trusted()

    def webhook_state(self):
        cluster, text = self.cluster, ''
        for each in cluster.pods(RELEASE):
            text += each['metadata']['name'] + '\n' + cluster.describe(RELEASE, each['metadata']['name']) + '\n'
        return text

    def webhook_pods(self):
        return [p for p in self.cluster.pods(RELEASE, 'app.kubernetes.io/component=webhook') if 'deletionTimestamp' not in p['metadata']]

    def admits(self, namespace='default', annotations=None):
        """What the API server says to a labelled pod, without making it: (status, body)."""
        body = pod('probe', annotations=annotations or ours(secret_password='secret/any#value', role='any'))
        path = f'/api/v1/namespaces/{namespace}/pods?dryRun=All'
        return self.cluster.request('POST', path, body)

    def trusted(self, limit=60):
        """Until the API server gets an answer from the webhook."""
        def look():
            status, body = self.admits()
            return status == 201 and any(c['name'] == 'secret-injector' for c in body['spec'].get('initContainers', []))
        try:
            eventually(look, limit)
        except AssertionError:
            raise AssertionError(f'the webhook does not answer: {self.admits()}\n{self.webhook_state()}') from None


__all__ = ['FOR_THE_POD', 'HOST', 'LABEL', 'LISTED', 'Place', 'RELEASE', 'RESTRICTED', 'ROOT', 'Skipped', 'VERSION', 'WAIT',
           'deployment', 'eventually', 'job', 'ours', 'pod', 'template']
