"""What happens to the webhook, to the store and to the cluster. One at a time: each disturbs what all pods share."""
import base64
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request

import cluster as cluster_module
from place import RELEASE, ROOT, VERSION, Skipped, eventually, ours, pod
from pods import FILE, READ, process_of, refused, says, sidecar_of

CONFIGURATION = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/secret-webhook'
SECRET = f'/api/v1/namespaces/{RELEASE}/secrets/secret-webhook-tls'
LEASE = f'/apis/coordination.k8s.io/v1/namespaces/{RELEASE}/leases/secret-webhook'
DEPLOYMENT = f'/apis/apps/v1/namespaces/{RELEASE}/deployments/secret-webhook'


def scale(place, replicas):
    place.cluster.kubectl('-n', RELEASE, 'scale', 'deployment/secret-webhook', f'--replicas={replicas}')
    eventually(lambda: len(place.cluster.pods(RELEASE, 'app.kubernetes.io/component=webhook')) == replicas, 60)


def rolled_out(place):
    place.cluster.kubectl('-n', RELEASE, 'rollout', 'status', 'deployment/secret-webhook', '--timeout=90s', limit=100)


def bundles(place):
    return [base64.b64decode(w['clientConfig'].get('caBundle', '')).decode() for w in place.cluster.get(CONFIGURATION)['webhooks']]


def secret(place):
    return {key: base64.b64decode(value).decode() for key, value in (place.cluster.get(SECRET).get('data') or {}).items()}


def holder(place):
    return place.cluster.get(LEASE)['spec'].get('holderIdentity', '')


def metric(place, pod_object, name):
    """The sum of a metric of one replica, asked as Prometheus would: at the address of the pod."""
    with urllib.request.urlopen(f'http://{pod_object["status"]["podIP"]}:9090/metrics', timeout=5) as answer:
        text = answer.read().decode()
    values = [float(line.rsplit(' ', 1)[1]) for line in text.splitlines() if line.startswith(name) and not line.startswith('#')]
    if not values:
        raise AssertionError(f'there is no metric {name}:\n{text}')
    return sum(values)


class Admissions:
    """Dry-run creations of a labelled pod, as fast as one after the other goes, until it is stopped."""

    def __init__(self, place, workers=4, pause=0.0):
        self.place, self.pause, self.going = place, pause, True
        self.good, self.bad, self.slowest = 0, [], 0.0
        self.threads = [threading.Thread(target=self.work) for _ in range(workers)]
        for thread in self.threads:
            thread.start()

    def work(self):
        while self.going:
            begun = time.monotonic()
            try:
                status, body = self.place.admits()
                good = status == 201 and sidecar_of(body)
            except OSError as error:
                status, body, good = 0, repr(error), False
            self.slowest = max(self.slowest, time.monotonic() - begun)
            if good:
                self.good += 1
            else:
                self.bad.append((status, str(body)[:300]))
            time.sleep(self.pause)

    def stop(self):
        self.going = False
        for thread in self.threads:
            thread.join()
        return self


def the_authority_in_the_secret_is_the_one_that_the_api_server_trusts(place):
    kept = secret(place)
    assert kept.get('tls.crt') and kept.get('ca.crt'), sorted(kept)
    for text in bundles(place):
        assert text.startswith(kept['ca.crt'].strip()[:200]), text[:100]
    assert holder(place) in {p['metadata']['name'] for p in place.webhook_pods()} or holder(place), holder(place)


def both_replicas_answer(place):
    """Each by itself, at its own address, with the same certificate."""
    context = ssl.create_default_context(cadata=bundles(place)[0])
    body = json.dumps({'apiVersion': 'admission.k8s.io/v1', 'kind': 'AdmissionReview', 'request': {
        'uid': '4a2a3b1e-3f0e-4c2d-9a55-0b6f6b7a8c9d', 'kind': {'group': '', 'version': 'v1', 'kind': 'Pod'},
        'resource': {'group': '', 'version': 'v1', 'resource': 'pods'}, 'operation': 'CREATE', 'namespace': 'default',
        'object': pod('shop', annotations=ours(role='any', secret_password='secret/any#value'))}})
    pods = place.webhook_pods()
    assert len(pods) == 2, len(pods)
    for each in pods:
        raw = socket.create_connection((each['status']['podIP'], 8443), timeout=10)
        connection = http.client.HTTPConnection('secret-webhook.secret-injector.svc')
        connection.sock = context.wrap_socket(raw, server_hostname='secret-webhook.secret-injector.svc')
        connection.request('POST', '/mutate?timeout=5s', body, {'Content-Type': 'application/json'})
        answer = json.loads(connection.getresponse().read())
        assert answer['response']['allowed'] and answer['response']['patch'], answer
        assert metric(place, each, 'secret_injector_admission_requests_total') >= 1
        connection.close()


def helms_own_test_passes(place):
    place.cluster.helm('test', RELEASE, '-n', RELEASE, '--timeout', '60s')


def metrics_are_what_promtool_wants(place):
    if not shutil.which('promtool'):
        raise Skipped('promtool is not here')
    for each in place.webhook_pods():
        with urllib.request.urlopen(f'http://{each["status"]["podIP"]}:9090/metrics', timeout=5) as answer:
            text = answer.read()
        done = subprocess.run(['promtool', 'check', 'metrics'], input=text, capture_output=True, check=False)
        assert done.returncode == 0, (done.stdout + done.stderr).decode()


def a_rolling_restart_loses_no_admission(place):
    """T29: both replicas replaced while admissions never pause."""
    load = Admissions(place)
    time.sleep(1)
    begun = time.monotonic()
    place.cluster.kubectl('-n', RELEASE, 'rollout', 'restart', 'deployment/secret-webhook')
    rolled_out(place)
    eventually(lambda: len(place.cluster.pods(RELEASE, 'app.kubernetes.io/component=webhook')) == 2, 60)
    took = time.monotonic() - begun
    time.sleep(1)
    load.stop()
    print(f'  {load.good} admissions during a rolling restart of {took:.0f} s, {len(load.bad)} lost, the slowest {load.slowest:.2f} s')
    assert not load.bad and load.good > 100, (load.good, load.bad[:3])


def sigterm_takes_readiness_away_first_and_ends_in_time(place):
    victim = place.webhook_pods()[0]
    address = victim['status']['podIP']
    load = Admissions(place, workers=2)
    begun = time.monotonic()
    place.cluster.kubectl('-n', RELEASE, 'delete', 'pod', victim['metadata']['name'], '--wait=false')
    unready = served = None
    while time.monotonic() - begun < 30:
        try:
            with urllib.request.urlopen(f'http://{address}:9090/readyz', timeout=1):
                pass
        except urllib.error.HTTPError as error:
            if error.code == 503 and unready is None:
                unready = time.monotonic() - begun
                served = error.read().decode()
        except OSError:
            if unready is not None:
                break
        time.sleep(0.05)
    ended = time.monotonic() - begun
    eventually(lambda: not place.cluster.pod(RELEASE, victim['metadata']['name']), 40)
    load.stop()
    rolled_out(place)
    assert unready is not None, 'readiness never said no'
    assert ended < 8, f'its end took {ended:.1f} s'
    assert not load.bad, load.bad[:3]
    print(f'  unready {unready:.2f} s after SIGTERM ({served.strip()}), gone after {ended:.1f} s, {load.good} admissions meanwhile')


def another_replica_leads_when_the_leader_dies(place):
    first = holder(place)
    victim = next((p for p in place.webhook_pods() if first.startswith(p['metadata']['name'])), None)
    assert victim, f'no pod is called as the holder of the lease: {first}'
    place.cluster.kubectl('-n', RELEASE, 'delete', 'pod', victim['metadata']['name'], '--grace-period=0', '--force')
    eventually(lambda: holder(place) not in ('', first), 90)
    rolled_out(place)
    place.trusted()


def an_expired_certificate_is_replaced(place):
    """The leaf in the Secret becomes one of the past; the leader makes another, and nobody restarts anything."""
    kept = secret(place)
    folder = place.cluster.folder / 'expired'
    authority = cluster_module.Authority(folder, 'unused')
    (folder / 'ca.crt').write_text(kept['ca.crt'])
    (folder / 'ca.key').write_text(kept['ca.key'])
    certificate, key = authority.issue('server', '/CN=secret-webhook', 'DNS:secret-webhook.secret-injector.svc',
                                       start=('20250101000000Z', '20250201000000Z'))
    before = [p['metadata']['name'] for p in place.webhook_pods()]
    change = {'data': {'tls.crt': cluster_module.base64_of(certificate), 'tls.key': cluster_module.base64_of(key)}}
    status, body = place.cluster.request('PATCH', SECRET, change, 'application/merge-patch+json')
    assert status == 200, body
    eventually(lambda: secret(place)['tls.crt'] not in (certificate.read_text(), kept['tls.crt']), 60)
    place.trusted(30)
    assert [p['metadata']['name'] for p in place.webhook_pods()] == before
    now = time.time()
    for each in place.webhook_pods():
        eventually(lambda each=each: metric(place, each, 'secret_injector_certificate_expiry_timestamp_seconds') > now + 86400, 30)


def the_bundle_is_put_back_when_somebody_takes_it_away(place):
    """As `helm upgrade` and GitOps do when they write the manifest again."""
    change = [{'op': 'remove', 'path': '/webhooks/0/clientConfig/caBundle'}]
    status, body = place.cluster.request('PATCH', CONFIGURATION, change, 'application/json-patch+json')
    assert status == 200, body
    begun = time.monotonic()
    eventually(lambda: all(bundles(place)), 60)
    place.trusted()
    print(f'  the bundle was back after {time.monotonic() - begun:.1f} s')


def an_upgrade_and_a_rollback_of_the_chart_disturb_no_running_pod(place):
    """T70, as far as there is one version: other values, and back; the running pod sees its rotations throughout."""
    space, cluster, store = place.namespace(), place.cluster, place.store
    store.put(f'{space}/db', password='0')
    cluster.apply(pod('shop', READ, ours(role=space, secret_password=f'secret/{space}/db#password', refresh='500ms')), namespace=space)
    cluster.wait_ready(space, 'shop')
    load = Admissions(place, workers=1, pause=0.02)
    policy = place.policy()
    policy['refresh'] = '2m'
    place.install(policy=policy, podAnnotations={'rolled': 'once'})
    store.put(f'{space}/db', password='1')
    eventually(lambda: cluster.exec(space, 'shop', 'cat', FILE, container='app') == '1', 20)
    cluster.helm('rollback', RELEASE, '-n', RELEASE, '--wait', '--timeout', '90s')
    place.trusted()
    store.put(f'{space}/db', password='2')
    eventually(lambda: cluster.exec(space, 'shop', 'cat', FILE, container='app') == '2', 20)
    load.stop()
    assert not load.bad and load.good > 20, (load.good, load.bad[:3])
    assert cluster.pod(space, 'shop')['status']['initContainerStatuses'][0]['restartCount'] == 0


def with_the_webhook_down_only_pods_that_ask_are_refused(place):
    """T31: no deadlock. The webhook's own pods start, and so does everything that asks for nothing."""
    space, cluster = place.namespace(), place.cluster
    scale(place, 0)
    try:
        text = refused(place, space, pod('shop', annotations=ours(role=space, secret_password='secret/x#y')))
        assert 'failed calling webhook' in text and 'pods.secret-injector.io' in text, text
        text = refused(place, space, pod('shop', injected=False, annotations={
            'vault.hashicorp.com/agent-inject': 'true', 'vault.hashicorp.com/role': space,
            'vault.hashicorp.com/agent-inject-secret-a': 'secret/data/a'}))
        assert 'failed calling webhook' in text, text
        cluster.apply(pod('plain', injected=False), namespace=space)
        cluster.wait_ready(space, 'plain')
    finally:
        scale(place, 2)
    rolled_out(place)
    place.trusted()
    store = place.store
    store.put(f'{space}/db', password='afterwards')
    cluster.apply(pod('shop', READ, ours(role=space, secret_password=f'secret/{space}/db#password')), namespace=space)
    cluster.wait_ready(space, 'shop')


def what_a_webhook_set_to_ignore_lets_through_the_admission_policy_refuses(place):
    space = place.namespace()
    change = [{'op': 'replace', 'path': f'/webhooks/{i}/failurePolicy', 'value': 'Ignore'} for i in range(2)]
    back = [dict(each, value='Fail') for each in change]
    status, body = place.cluster.request('PATCH', CONFIGURATION, change, 'application/json-patch+json')
    assert status == 200, body
    scale(place, 0)
    try:
        text = eventually(lambda: (t := refused(place, space, pod('shop', annotations=ours(role=space, secret_password='secret/x#y'))))
                          and 'failed calling' not in t and t, 20)
        assert 'was not given the sidecar' in text, text
    finally:
        scale(place, 2)
        place.cluster.request('PATCH', CONFIGURATION, back, 'application/json-patch+json')
    rolled_out(place)
    place.trusted()


def with_the_store_down_pods_wait_and_running_ones_keep_their_files(place):
    space, cluster, store = place.namespace(), place.cluster, place.store
    store.put(f'{space}/db', password='before')
    asked = ours(role=space, secret_password=f'secret/{space}/db#password', refresh='500ms')
    cluster.apply(pod('running', READ, asked), namespace=space)
    cluster.wait_ready(space, 'running')
    store.stop()
    try:
        cluster.apply(pod('waiting', READ, asked), namespace=space)
        time.sleep(6)
        seen = cluster.pod(space, 'waiting')
        assert not cluster.is_ready(seen) and not seen['status']['containerStatuses'][0].get('started'), seen['status']
        assert cluster.exec(space, 'running', 'cat', FILE, container='app') == 'before'
        assert cluster.is_ready(cluster.pod(space, 'running'))
    finally:
        store.start()
    begun = time.monotonic()
    cluster.wait_ready(space, 'waiting', 60)
    says(cluster, space, 'waiting', 'app', 'first: before')
    store.put(f'{space}/db', password='after')
    eventually(lambda: cluster.exec(space, 'running', 'cat', FILE, container='app') == 'after', 60)
    print(f'  the waiting pod was up {time.monotonic() - begun:.1f} s after the store')
    for name in ('running', 'waiting'):
        assert cluster.pod(space, name)['status']['initContainerStatuses'][0]['restartCount'] == 0, name


def a_killed_sidecar_takes_over_what_is_published(place):
    space, cluster, store = place.namespace(), place.cluster, place.store
    store.put(f'{space}/db', password='kept')
    cluster.apply(pod('shop', READ, ours(role=space, secret_password=f'secret/{space}/db#password', refresh='500ms')), namespace=space)
    seen = cluster.wait_ready(space, 'shop')
    os.kill(int(process_of(cluster, seen, 'secret-injector')['number']), signal.SIGKILL)
    for _ in range(20):
        assert cluster.exec(space, 'shop', 'cat', FILE, container='app') == 'kept'
    eventually(lambda: cluster.pod(space, 'shop')['status']['initContainerStatuses'][0]['restartCount'] == 1, 30)
    store.put(f'{space}/db', password='later')
    eventually(lambda: cluster.exec(space, 'shop', 'cat', FILE, container='app') == 'later', 40)
    assert cluster.pod(space, 'shop')['status']['containerStatuses'][0]['restartCount'] == 0, 'the application is not disturbed'


def certificates_from_a_secret_are_reloaded_and_an_expired_one_is_no_way_in(place):
    """The way of cert-manager and of one's own files."""
    cluster = place.cluster
    authority = cluster_module.Authority(cluster.folder / 'files', 'files')
    names = 'DNS:secret-webhook.secret-injector.svc'
    good = authority.issue('good', '/CN=secret-webhook', names)
    old = authority.issue('old', '/CN=secret-webhook', names, start=('20250101000000Z', '20250201000000Z'))

    def keep(pair):
        cluster.apply({'apiVersion': 'v1', 'kind': 'Secret', 'type': 'kubernetes.io/tls', 'metadata': {
            'name': 'own-tls', 'namespace': RELEASE}, 'data': {
                'tls.crt': cluster_module.base64_of(pair[0]), 'tls.key': cluster_module.base64_of(pair[1])}})
    keep(good)
    certificates = {'from': 'secret', 'secretName': 'own-tls', 'caBundle': authority.ca.read_text()}
    # The bundle was the webhook's own to write until now, and helm 4 asks before it takes a field from another.
    place.install('--force-conflicts', certificates=certificates)
    space = place.namespace()
    keep(old)
    for each in place.webhook_pods():
        eventually(lambda each=each: (said := probe(each, '/readyz'))[0] == 503 and 'time is over' in said[1], 90,
                   why='readiness says that the certificate is over')
        try:
            shaken(each, authority.ca)
            raise AssertionError('an expired certificate was taken')
        except ssl.SSLCertVerificationError as error:
            assert 'expired' in str(error), error
    # The API server's connection was made before, and stays good: others take the place of those who hold it.
    cluster.kubectl('-n', RELEASE, 'delete', 'pod', '-l', 'app.kubernetes.io/component=webhook', '--timeout=60s')
    eventually(lambda: len(running := [p for p in place.webhook_pods() if p['status']['phase'] == 'Running']) == 2 and running, 60)
    status, body = place.admits(space)
    assert status != 201 and 'failed calling webhook' in str(body), body
    cluster.apply(pod('plain', injected=False), namespace=space)
    cluster.wait_ready(space, 'plain')
    before = sorted(p['metadata']['uid'] for p in place.webhook_pods())
    keep(good)
    place.trusted(90)
    assert sorted(p['metadata']['uid'] for p in place.webhook_pods()) == before, 'nobody was restarted'
    for each in place.webhook_pods():
        shaken(each, authority.ca)


def probe(pod_object, path):
    """(status, first line) of a replica's own port."""
    connection = http.client.HTTPConnection(pod_object['status']['podIP'], 9090, timeout=5)
    try:
        connection.request('GET', path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode().splitlines()[0]
    finally:
        connection.close()


def shaken(pod_object, authority):
    """A TLS connection to one replica, as the API server would make it."""
    context = ssl.create_default_context(cafile=str(authority))
    raw = socket.create_connection((pod_object['status']['podIP'], 8443), timeout=10)
    with raw, context.wrap_socket(raw, server_hostname='secret-webhook.secret-injector.svc'):
        pass


def the_kustomize_base_does_what_the_chart_does(place):
    """The chart goes, the base comes, as somebody would apply it: by an overlay of their own."""
    cluster, store = place.cluster, place.store
    cluster.helm('uninstall', RELEASE, '-n', RELEASE, '--wait', '--timeout', '90s')
    cluster.kubectl('delete', 'namespace', RELEASE, '--timeout=90s')
    folder = cluster.folder / 'overlay'
    folder.mkdir()
    base = os.path.relpath(ROOT / 'deploy/kustomize/base', folder.resolve())
    (folder / 'kustomization.yaml').write_text(json.dumps({
        'apiVersion': 'kustomize.config.k8s.io/v1beta1', 'kind': 'Kustomization', 'resources': [base],
        'images': [{'name': 'secret-webhook', 'newName': 'localhost/secret-webhook', 'newTag': VERSION}],
        'patches': [{'patch': json.dumps({'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {
            'name': 'secret-webhook-policy', 'namespace': RELEASE}, 'data': {'policy.yaml': json.dumps(place.policy())}})}]}))
    cluster.kubectl('apply', '-k', folder)
    rolled_out(place)
    place.trusted()
    space = place.namespace()
    store.put(f'{space}/db', password='by-kustomize')
    cluster.apply(pod('shop', READ, ours(role=space, secret_password=f'secret/{space}/db#password')), namespace=space)
    cluster.wait_ready(space, 'shop')
    says(cluster, space, 'shop', 'app', 'first: by-kustomize')


def the_policy_without_a_file_serves_a_store_inside_the_cluster(place):
    """What stands in the repository, unedited but for where the images are."""
    cluster, store = place.cluster, place.store
    if cluster.try_get(f'/api/v1/namespaces/{RELEASE}/configmaps/secret-webhook-policy') is None:
        raise Skipped('the webhook is not installed')
    cluster.kubectl('-n', RELEASE, 'patch', 'configmap', 'secret-webhook-policy', '--type=merge', '-p', json.dumps(
        {'data': {'policy.yaml': f'image: localhost/secret-injector:{VERSION}\n'}}))
    cluster.kubectl('-n', RELEASE, 'rollout', 'restart', 'deployment/secret-webhook')
    rolled_out(place)
    place.trusted()
    space = place.namespace()
    store.put(f'{space}/db', password='by-default')
    cluster.apply(pod('shop', READ, ours(provider='openbao', role=space, secret_password=f'secret/{space}/db#password')),
                  namespace=space)
    cluster.wait_ready(space, 'shop')
    says(cluster, space, 'shop', 'app', 'first: by-default')


def a_reboot_of_the_node_brings_everything_back(place):
    """Every container dies at once, the node's agents with them; the webhook's pods need nobody's leave to start."""
    cluster, space = place.cluster, place.namespace()
    place.store.put(f'{space}/db', password='after-the-reboot')
    cluster.apply(pod('shop', READ, ours(role=space, secret_password=f'secret/{space}/db#password'), restartPolicy='Always'),
                  namespace=space)
    cluster.wait_ready(space, 'shop')
    before = {p['metadata']['name']: p['status']['containerStatuses'][0]['restartCount'] for p in place.webhook_pods()}
    cluster.reboot_node()

    def started_again():
        return all(p['status']['containerStatuses'][0]['restartCount'] > before[p['metadata']['name']] and cluster.is_ready(p)
                   for p in place.webhook_pods())
    try:
        eventually(started_again, 60)
    except AssertionError as error:
        raise AssertionError(f'{error}\n{cluster.log("kubelet")}\n{cluster.log("containerd")}\n{place.webhook_state()}') from None
    place.trusted(60)
    cluster.wait_ready(space, 'shop', 120)
    assert cluster.exec(space, 'shop', 'cat', FILE, container='app') == 'after-the-reboot'


TESTS = [the_authority_in_the_secret_is_the_one_that_the_api_server_trusts, both_replicas_answer, helms_own_test_passes,
         metrics_are_what_promtool_wants, a_rolling_restart_loses_no_admission, sigterm_takes_readiness_away_first_and_ends_in_time,
         another_replica_leads_when_the_leader_dies, an_expired_certificate_is_replaced,
         the_bundle_is_put_back_when_somebody_takes_it_away, an_upgrade_and_a_rollback_of_the_chart_disturb_no_running_pod,
         with_the_webhook_down_only_pods_that_ask_are_refused,
         what_a_webhook_set_to_ignore_lets_through_the_admission_policy_refuses,
         with_the_store_down_pods_wait_and_running_ones_keep_their_files, a_killed_sidecar_takes_over_what_is_published,
         a_reboot_of_the_node_brings_everything_back,
         certificates_from_a_secret_are_reloaded_and_an_expired_one_is_no_way_in, the_kustomize_base_does_what_the_chart_does,
         the_policy_without_a_file_serves_a_store_inside_the_cluster]
