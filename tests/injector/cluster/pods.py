"""What happens to pods. Each test has namespaces of its own, and leaves the webhook and the store as they are: they run
side by side."""
import json
import os
import subprocess

import tools
from cluster import Failed
from place import ROOT, WAIT, deployment, eventually, job, ours, pod

FILE = '/run/secrets/app/password'
READ = f'echo "first: $(cat {FILE})"; {WAIT}'


def sidecar_of(pod_object):
    every = pod_object['spec'].get('initContainers', []) + pod_object['spec']['containers']
    return next((c for c in every if c['name'] == 'secret-injector'), None)


def says(cluster, space, name, container, text):
    """Its log is written down a moment after it was said."""
    try:
        eventually(lambda: text in cluster.logs(space, name, container), 10)
    except AssertionError:
        raise AssertionError(f'{name}/{container} does not say {text!r} but {cluster.logs(space, name, container)!r}') from None


def refused(place, namespace, pod_object):
    """What the API server says to who applies it."""
    try:
        place.cluster.apply(pod_object, namespace=namespace)
    except Failed as error:
        return str(error)
    raise AssertionError('was admitted')


def leaves_a_pod_without_the_label_alone(place):
    space = place.namespace()
    place.cluster.apply(pod('plain', injected=False), namespace=space)
    seen = place.cluster.wait_ready(space, 'plain')
    assert sidecar_of(seen) is None and len(seen['spec']['containers']) == 1, seen['spec']


def a_labelled_pod_gets_its_secret_sees_a_rotation_and_ends(place):
    space, cluster, store = place.namespace(), place.cluster, place.store
    store.put(f'{space}/db', password='first-value')
    asked = pod('shop', READ, ours(role=space, secret_password=f'secret/{space}/db#password', refresh='500ms'))
    cluster.apply(asked, namespace=space)
    seen = cluster.wait_ready(space, 'shop')

    first = seen['spec']['initContainers'][0]
    assert first['name'] == 'secret-injector' and first['restartPolicy'] == 'Always', first
    assert 'startupProbe' in first and first['securityContext']['readOnlyRootFilesystem'], first
    assert seen['metadata']['annotations']['secret-injector.io/status'] == 'injected'
    says(cluster, space, 'shop', 'app', 'first: first-value')

    mounts = [line.split() for line in cluster.exec(space, 'shop', 'cat', '/proc/mounts', container='app').splitlines()]
    mount = next(words for words in mounts if words[1] == '/run/secrets/app')
    assert mount[2] == 'tmpfs' and 'ro' in mount[3].split(','), mount
    try:
        cluster.exec(space, 'shop', 'sh', '-c', 'echo x > /run/secrets/app/x', container='app')
        raise AssertionError('the application writes where its secrets stand')
    except Failed as error:
        assert 'Read-only' in str(error), error
    mode = cluster.exec(space, 'shop', 'stat', '-L', '-c', '%a', FILE, container='app').strip()
    assert mode in ('400', '440'), mode

    store.put(f'{space}/db', password='second-value')
    eventually(lambda: cluster.exec(space, 'shop', 'cat', FILE, container='app') == 'second-value', 20)
    assert store.logins(space) == 1, 'one login is enough'

    uid = seen['metadata']['uid']
    cluster.delete(space, 'pod', 'shop')
    eventually(lambda: store.revocations(space) == 1, 10, why='the token is given back')
    assert uid and not cluster.pod(space, 'shop')


def a_pod_logs_in_by_jwt_with_the_keys_of_the_cluster(place):
    space, cluster, store = place.namespace(), place.cluster, place.store
    store.role(space, space, method='jwt')
    store.put(f'{space}/db', password='by-jwt')
    cluster.apply(pod('shop', READ, ours(store='jwt', role=space, secret_password=f'secret/{space}/db#password')), namespace=space)
    cluster.wait_ready(space, 'shop')
    says(cluster, space, 'shop', 'app', 'first: by-jwt')


def a_pod_reads_from_aws_with_its_web_identity(place):
    space, cluster, aws = place.namespace(), place.cluster, place.aws
    aws.put(f'{space}/db', json.dumps({'password': 'from-aws'}))
    cluster.apply(pod('shop', READ, ours(store='aws', role='arn:aws:iam::123456789012:role/shop', refresh='500ms',
                                         secret_password=f'{space}/db#password')), namespace=space)
    cluster.wait_ready(space, 'shop')
    says(cluster, space, 'shop', 'app', 'first: from-aws')
    aws.put(f'{space}/db', json.dumps({'password': 'rotated'}))
    eventually(lambda: cluster.exec(space, 'shop', 'cat', FILE, container='app') == 'rotated', 20)


def one_pod_reads_from_two_stores(place):
    space, cluster = place.namespace(), place.cluster
    place.aws.put(f'{space}/key', json.dumps({'key': 'of-aws'}))
    place.store.put(f'{space}/db', password='of-openbao')
    cluster.apply(pod('shop', f'cat /run/secrets/app/password /run/secrets/app/key; echo; {WAIT}', dict(
        ours(role=space, secret_password=f'secret/{space}/db#password', secret_key=f'aws:{space}/key#key'),
        **{'secret-injector.io/role.aws': 'arn:aws:iam::123456789012:role/shop'})), namespace=space)
    cluster.wait_ready(space, 'shop')
    says(cluster, space, 'shop', 'app', 'of-openbaoof-aws')


def a_token_for_another_audience_does_not_get_in(place):
    space, cluster, store = place.namespace(), place.cluster, place.store
    store.role(space, space, audience='somebody-else')
    cluster.apply(pod('shop', READ, ours(role=space, secret_password=f'secret/{space}/db#password')), namespace=space)
    eventually(lambda: any('denied' in line or '403' in line or '400' in line for line in sidecar_lines(place, space, 'shop')), 30)
    assert not cluster.is_ready(cluster.pod(space, 'shop'))


def sidecar_lines(place, space, name):
    try:
        return place.cluster.logs(space, name, 'secret-injector').splitlines()
    except Failed:
        return []


def a_job_completes(place):
    space, cluster = place.namespace(), place.cluster
    place.store.put(f'{space}/db', password='for-a-job')
    cluster.apply(job('once', pod('once', f'cat {FILE}', ours(role=space, secret_password=f'secret/{space}/db#password'))),
                  namespace=space)

    def done():
        status = cluster.get(f'/apis/batch/v1/namespaces/{space}/jobs/once').get('status', {})
        return any(c['type'] == 'Complete' and c['status'] == 'True' for c in status.get('conditions', []))
    try:
        eventually(done, 60)
    except AssertionError as error:
        names = [p['metadata']['name'] for p in cluster.pods(space)]
        raise AssertionError(f'{error}\n' + '\n'.join(cluster.describe(space, name) for name in names)) from None
    seen = cluster.pods(space)[0]
    assert seen['status']['phase'] == 'Succeeded'
    says(cluster, space, seen['metadata']['name'], 'app', 'for-a-job')
    state = seen['status']['initContainerStatuses'][0]['state']['terminated']
    assert state['exitCode'] == 0, state


def init_only_delivers_and_leaves_nothing_running(place):
    space, cluster = place.namespace(), place.cluster
    place.store.put(f'{space}/db', password='only-once')
    cluster.apply(pod('shop', READ, ours(role=space, init_only='true', secret_password=f'secret/{space}/db#password')),
                  namespace=space)
    seen = cluster.wait_ready(space, 'shop')
    says(cluster, space, 'shop', 'app', 'first: only-once')
    state = seen['status']['initContainerStatuses'][0]['state']
    assert state.get('terminated', {}).get('exitCode') == 0, state


def a_template_is_rendered_in_the_pod(place):
    space, cluster = place.namespace(), place.cluster
    place.store.put(f'{space}/db', password='in-a-template', user='ann')
    text = '{{ with secret "secret/data/' + space + '/db" }}postgres://{{ .Data.data.user }}:{{ .Data.data.password }}@db{{ end }}'
    cluster.apply(pod('shop', f'cat /run/secrets/app/url; echo; {WAIT}', ours(role=space, template_url=text)), namespace=space)
    cluster.wait_ready(space, 'shop')
    says(cluster, space, 'shop', 'app', 'postgres://ann:in-a-template@db')


VAULT_DEPLOYMENT = {
    'vault.hashicorp.com/agent-inject': 'true',
    'vault.hashicorp.com/agent-inject-status': 'update',
    'vault.hashicorp.com/agent-limits-mem': '64Mi',
    'vault.hashicorp.com/agent-inject-token': 'false',
}


def a_deployment_of_vault_k8s_annotations_runs_unedited(place):
    space, cluster = place.namespace(), place.cluster
    place.store.put(f'{space}/db', password='from-vault-k8s', user='ann')
    annotations = dict(VAULT_DEPLOYMENT, **{
        'vault.hashicorp.com/role': space,
        'vault.hashicorp.com/agent-inject-secret-db.txt': f'secret/data/{space}/db',
        'vault.hashicorp.com/agent-inject-secret-url': f'secret/data/{space}/db',
        'vault.hashicorp.com/agent-inject-template-url':
            '{{- with secret "secret/data/' + space + '/db" -}}\n{{ .Data.data.user }}:{{ .Data.data.password }}\n{{- end }}',
    })
    del annotations['vault.hashicorp.com/agent-inject-status']
    cluster.apply(deployment('shop', pod('shop', f'cat /vault/secrets/url; {WAIT}', annotations, injected=False)), namespace=space)
    try:
        cluster.kubectl('-n', space, 'rollout', 'status', 'deployment/shop', '--timeout=60s')
    except Failed as error:
        events = '\n'.join(cluster.events(space)[-10:])
        names = [p['metadata']['name'] for p in cluster.pods(space)]
        raise AssertionError(f'{error}\n{events}\n' + '\n'.join(cluster.describe(space, name) for name in names)) from None
    name = cluster.pods(space)[0]['metadata']['name']
    assert cluster.exec(space, name, 'cat', '/vault/secrets/url', container='app') == 'ann:from-vault-k8s'
    text = cluster.exec(space, name, 'cat', '/vault/secrets/db.txt', container='app')
    assert text == 'password: from-vault-k8s\nuser: ann\n', text


def a_wrong_role_is_told_where_people_look(place):
    space, cluster = place.namespace(), place.cluster
    cluster.apply(pod('shop', READ, ours(role='nobody-knows', secret_password=f'secret/{space}/db#password')), namespace=space)

    def told():
        return [text for text in cluster.events(space, 'shop') if 'robe' in text and 'password' in text]
    try:
        text = eventually(told, 40)[0]
    except AssertionError:
        raise AssertionError(cluster.describe(space, 'shop')) from None
    assert 'denied' in text or 'role' in text, text
    lines = [json.loads(line) for line in sidecar_lines(place, space, 'shop') if line.startswith('{')]
    assert any(line['log.level'] in ('warn', 'error') and 'logging in' in json.dumps(line) for line in lines), lines
    assert not cluster.is_ready(cluster.pod(space, 'shop'))
    # Once the operator has made the role, the pod comes up without anybody touching it.
    place.store.role('nobody-knows', space)
    place.store.put(f'{space}/db', password='in-the-end')
    cluster.wait_ready(space, 'shop', 60)


def a_wrong_role_of_an_init_container_is_its_termination_message(place):
    space, cluster = place.namespace(), place.cluster
    cluster.apply(pod('shop', READ, ours(role='nobody-knows-either', init_only='true',
                                         secret_password=f'secret/{space}/db#password'), restartPolicy='Never'), namespace=space)

    def ended():
        for status in cluster.pod(space, 'shop').get('status', {}).get('initContainerStatuses', []):
            for state in (status.get('state', {}), status.get('lastState', {})):
                if 'terminated' in state:
                    return state['terminated']
        return None
    state = eventually(ended, 90)
    assert state['exitCode'] != 0 and 'password' in state.get('message', ''), state


def an_unknown_annotation_is_refused_with_those_that_exist(place):
    space = place.namespace()
    text = refused(place, space, pod('shop', annotations=ours(role=space, secret_password='secret/x#y', refrsh='1s')))
    assert 'secret-injector.io/refrsh' in text and 'refresh' in text and 'mount-path' in text, text


def a_refusal_reaches_who_looks_at_the_workload(place):
    """A Deployment is admitted; its pods are not, and that must be seen."""
    space, cluster = place.namespace(), place.cluster
    cluster.apply(deployment('shop', pod('shop', annotations=ours(role=space, secret_password='secret/x#y', no_such='1'))),
                  namespace=space)
    assert eventually(lambda: [text for text in cluster.events(space) if 'secret-injector.io/no-such' in text], 20)


def a_store_that_the_operator_does_not_list_is_refused(place):
    space = place.namespace()
    text = refused(place, space, pod('shop', annotations=ours(store='evil', role=space, secret_password='secret/x#y')))
    assert 'no such store' in text, text
    text = refused(place, space, pod('shop', injected=False, annotations={
        'vault.hashicorp.com/agent-inject': 'true', 'vault.hashicorp.com/role': space,
        'vault.hashicorp.com/service': 'https://10.0.0.66:8200', 'vault.hashicorp.com/agent-inject-secret-a': 'secret/data/a'}))
    assert 'vault.hashicorp.com/service' in text, text


def another_value_of_the_label_is_refused_by_the_admission_policy(place):
    space = place.namespace()
    text = refused(place, space, pod('shop', injected=False, labels={'secret-injector.io/inject': 'yes'}))
    assert '"true" or "false"' in text, text


def a_server_side_dry_run_shows_the_pod_as_it_will_be(place):
    space = place.namespace()
    status, body = place.admits(space)
    assert status == 201 and sidecar_of(body), body
    assert place.cluster.pods(space) == []


def a_second_webhook_that_adds_a_container_leads_to_no_second_sidecar(place):
    """reinvocationPolicy: the API server asks us again, and we change nothing."""
    space = place.namespace()
    _, once = place.admits(space)
    again = dict(once, metadata={'name': 'again', 'labels': once['metadata']['labels'], 'annotations': once['metadata']['annotations']})
    status, body = place.cluster.request('POST', f'/api/v1/namespaces/{space}/pods?dryRun=All', again)
    assert status == 201, body
    assert [c['name'] for c in body['spec']['initContainers']].count('secret-injector') == 1


def two_containers_of_two_users_read_the_same_file(place):
    space, cluster = place.namespace(), place.cluster
    place.store.put(f'{space}/db', password='for-both')
    both = pod('shop', READ, ours(role=space, secret_password=f'secret/{space}/db#password'))
    second = json.loads(json.dumps(both['spec']['containers'][0]))
    second['name'] = 'second'
    second['securityContext']['runAsUser'] = 10002
    both['spec']['containers'].append(second)
    cluster.apply(both, namespace=space)
    cluster.wait_ready(space, 'shop')
    for name in ('app', 'second'):
        says(cluster, space, 'shop', name, 'first: for-both')


def an_init_container_of_the_pod_finds_its_secret(place):
    space, cluster = place.namespace(), place.cluster
    place.store.put(f'{space}/db', password='for-a-migration')
    asked = pod('shop', READ, ours(role=space, secret_password=f'secret/{space}/db#password'))
    migrate = json.loads(json.dumps(asked['spec']['containers'][0]))
    migrate.update(name='migrate', command=['cat', FILE])
    asked['spec']['initContainers'] = [migrate]
    cluster.apply(asked, namespace=space)
    cluster.wait_ready(space, 'shop')
    says(cluster, space, 'shop', 'migrate', 'for-a-migration')


def a_file_of_one_path_does_not_keep_the_others(place):
    """One secret that is not there: the pod waits, says which; the rest is delivered."""
    space, cluster, store = place.namespace(), place.cluster, place.store
    store.put(f'{space}/db', password='the-one-that-is')
    cluster.apply(pod('shop', READ, ours(role=space, secret_password=f'secret/{space}/db#password',
                                         secret_missing=f'secret/{space}/nothing#key')), namespace=space)
    text = eventually(lambda: [t for t in cluster.events(space, 'shop') if 'robe' in t and 'missing' in t], 40)[0]
    assert 'the-one-that-is' not in text and 'missing' in text, text
    store.put(f'{space}/nothing', key='now')
    cluster.wait_ready(space, 'shop', 60)


def the_sidecar_runs_confined(place):
    """RuntimeDefault's seccomp filter, no capability, no new privileges, no root, nothing writable but the mount."""
    space, cluster = place.namespace(), place.cluster
    place.store.put(f'{space}/db', password='confined')
    cluster.apply(pod('shop', READ, ours(role=space, secret_password=f'secret/{space}/db#password')), namespace=space)
    seen = cluster.wait_ready(space, 'shop')
    status = process_of(cluster, seen, 'secret-injector')
    assert status['Seccomp'] == '2' and status['NoNewPrivs'] == '1' and int(status['CapEff'], 16) == 0, status
    assert status['Uid'].split()[0] != '0' and int(status['CapBnd'], 16) == 0, status
    spec = json.dumps(seen['spec'])
    assert 'hostPath' not in spec and '"privileged": true' not in spec and 'confined' not in spec
    # No right in the cluster: the token that is mounted is not for the API server.
    sidecar = sidecar_of(seen)
    mounts = [m for m in sidecar['volumeMounts'] if m['mountPath'].startswith('/var/run/secrets/kubernetes.io')]
    assert not mounts or all(m.get('readOnly') for m in mounts), mounts


def process_of(cluster, pod_object, container):
    """/proc/PID/status of a container's first process."""
    statuses = pod_object['status'].get('initContainerStatuses', []) + pod_object['status']['containerStatuses']
    identity = next(s['containerID'] for s in statuses if s['name'] == container).split('//')[1]
    text = cluster.run('ctr', '-a', cluster.folder / 'c.sock', '-n', 'k8s.io', 'tasks', 'list')
    number = next(line.split()[1] for line in text.splitlines() if line.startswith(identity))
    with open(f'/proc/{number}/status') as file:
        lines = dict(line.rstrip('\n').split(':\t', 1) for line in file if ':\t' in line)
    return dict({key: value.strip() for key, value in lines.items()}, number=number)


def nothing_of_a_value_stands_in_objects_events_or_logs(place):
    space, cluster, store = place.namespace(), place.cluster, place.store
    canary = 'canary-2Kq9xZ7vLw5Tn3Rb'
    store.put(f'{space}/db', password=canary)
    cluster.apply(pod('shop', WAIT, ours(role=space, log_level='debug', secret_password=f'secret/{space}/db#password',
                                         secret_missing=f'secret/{space}/nothing#key')), namespace=space)
    eventually(lambda: any('missing' in text for text in cluster.events(space, 'shop')), 40)
    everything = json.dumps(cluster.get(f'/api/v1/namespaces/{space}/pods')) + json.dumps(cluster.get(f'/api/v1/namespaces/{space}/events'))
    everything += '\n'.join(sidecar_lines(place, space, 'shop'))
    for each in place.webhook_pods():
        everything += cluster.logs('secret-injector', each['metadata']['name'], 'secret-webhook')
    assert canary not in everything


def every_example_runs(place):
    """deploy/examples as it stands there, its store.sh included (but for AWS' own client)."""
    cluster, store, folder = place.cluster, place.store, ROOT / 'deploy/examples'
    cluster.namespace('shop')
    environment = dict(os.environ, PATH=f'{tools.openbao().parent}:{os.environ["PATH"]}', BAO_ADDR=store.url,
                       BAO_CACERT=str(store.ca), BAO_TOKEN=store.token)
    done = subprocess.run(['bash', folder / 'store.sh', 'vault'], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    role = 'arn:aws:iam::111122223333:role/shop'
    for name, value in (('db', '{"username": "shop", "password": "of-aws"}'), ('license', 'licensed'), ('partner', '{"key": "of-aws"}')):
        place.aws.put(f'prod/shop/{name}', value, role)
    files = sorted(folder.glob('*.yaml')) + [folder / 'migration/before.yaml', folder / 'migration/after.yaml']
    assert len(files) >= 6, files
    for file in files:
        applied = cluster.kubectl('-n', 'shop', 'apply', '-o', 'name', '-f', file).split()
        for name in applied:
            if name.startswith('deployment'):
                settled(place, 'shop', 'rollout', 'status', name, '--timeout=60s')
            elif name.startswith('job'):
                settled(place, 'shop', 'wait', '--for=condition=Complete', name, '--timeout=60s')
            else:
                assert name.startswith('serviceaccount/'), name
    # They print the sizes of their files: none is empty.
    for each in cluster.pods('shop'):
        name = each['metadata']['name']
        main = each['spec']['containers'][0]['name']
        eventually(lambda name=name, main=main: cluster.logs('shop', name, main), 10)
        sizes = [line.split() for line in cluster.logs('shop', name, main).splitlines()]
        assert all(words[0] != '0' for words in sizes if words), (name, sizes)


def settled(place, space, *words):
    try:
        place.cluster.kubectl('-n', space, *words)
    except Failed as error:
        names = [p['metadata']['name'] for p in place.cluster.pods(space)]
        text = '\n'.join(place.cluster.describe(space, name) for name in names)
        raise AssertionError(f'{words}: {error}\n' + '\n'.join(place.cluster.events(space)[-8:]) + '\n' + text) from None


TESTS = [every_example_runs, leaves_a_pod_without_the_label_alone, a_labelled_pod_gets_its_secret_sees_a_rotation_and_ends,
         a_pod_logs_in_by_jwt_with_the_keys_of_the_cluster, a_pod_reads_from_aws_with_its_web_identity,
         one_pod_reads_from_two_stores, a_token_for_another_audience_does_not_get_in, a_job_completes,
         init_only_delivers_and_leaves_nothing_running, a_template_is_rendered_in_the_pod,
         a_deployment_of_vault_k8s_annotations_runs_unedited, a_wrong_role_is_told_where_people_look,
         a_wrong_role_of_an_init_container_is_its_termination_message, an_unknown_annotation_is_refused_with_those_that_exist,
         a_refusal_reaches_who_looks_at_the_workload, a_store_that_the_operator_does_not_list_is_refused,
         another_value_of_the_label_is_refused_by_the_admission_policy, a_server_side_dry_run_shows_the_pod_as_it_will_be,
         a_second_webhook_that_adds_a_container_leads_to_no_second_sidecar, two_containers_of_two_users_read_the_same_file,
         an_init_container_of_the_pod_finds_its_secret, a_file_of_one_path_does_not_keep_the_others,
         the_sidecar_runs_confined, nothing_of_a_value_stands_in_objects_events_or_logs]
