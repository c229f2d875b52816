#!/usr/bin/python3
"""The chart and the kustomize base: equal, valid for every Kubernetes they claim, restricted, minimal, without a deadlock;
the values' schema refuses what it should; rules, dashboard and monitors ask for metrics that the programs have.

usage: manifests.py PROGRAMS     (folder of secret-injector and secret-webhook)

kubectl and helm come from PyPI (see injector/cluster/tools.py), kubernetes-validate too, promtool from Debian.
"""
import copy
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

import metrics
from sheet import Sheet, Skip, check

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / 'deploy/helm/secret-injector'
KUSTOMIZE = ROOT / 'deploy/kustomize'
NAMESPACE = 'secret-injector'
# Each way to install, as kustomize's components and as values of the chart.
WAYS = {
    'base': ([], []),
    'cert-manager': (['cert-manager'], ['certificates.from=cert-manager']),
    'monitoring': (['monitoring'], ['monitoring.enabled=true']),
    'cert-manager and monitoring': (['cert-manager', 'monitoring'],
                                    ['certificates.from=cert-manager', 'monitoring.enabled=true']),
}
# Labels that say who installed it.
INSTALLERS = ('helm.sh/chart', 'app.kubernetes.io/managed-by', 'app.kubernetes.io/version')

sys.path.insert(0, str(ROOT / 'tests/injector/cluster'))
import tools  # noqa: E402  pylint: disable=wrong-import-position


def run(*command, stdin=''):
    done = subprocess.run([str(part) for part in command], input=stdin, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


class Makers:
    """kubectl and helm."""

    def __init__(self):
        place = tools.clients()
        self.kubectl, self.helm = place / 'kubectl', place / 'helm'

    def kustomize(self, components):
        with tempfile.TemporaryDirectory() as folder:
            place = os.path.relpath(KUSTOMIZE, os.path.realpath(folder))
            text = {'apiVersion': 'kustomize.config.k8s.io/v1beta1', 'kind': 'Kustomization',
                    'resources': [f'{place}/base'], 'components': [f'{place}/components/{name}' for name in components]}
            (pathlib.Path(folder) / 'kustomization.yaml').write_text(yaml.safe_dump(text))
            return self.folder(folder)

    def folder(self, path):
        code, out, err = run(self.kubectl, 'kustomize', path)
        check(code == 0, err)
        check('Warning' not in err, err)
        return list(yaml.safe_load_all(out))

    def chart(self, settings=(), values=None):
        command = [self.helm, 'template', 'any', CHART, '--namespace', NAMESPACE, '--values', '-']
        for setting in settings:
            command += ['--set', setting]
        code, out, err = run(*command, stdin=yaml.safe_dump(values or {}))
        check(code == 0, err)
        return [document for document in yaml.safe_load_all(out) if document]


def is_hook(document):
    return 'helm.sh/hook' in document['metadata'].get('annotations', {})


def normal(documents):
    """By kind and name, without what differs by right: who installed it, hooks, the namespace itself, how text in a
    ConfigMap is laid out."""
    out = {}
    for document in documents:
        if document['kind'] == 'Namespace' or is_hook(document):
            continue
        document = copy.deepcopy(document)
        for label in INSTALLERS:
            document['metadata'].get('labels', {}).pop(label, None)
        if document['kind'] == 'ConfigMap':
            document['data'] = {name: yaml.safe_load(text) for name, text in document['data'].items()}
        key = (document['kind'], document['metadata'].get('namespace', ''), document['metadata']['name'])
        check(key not in out, f'{key} is there twice')
        out[key] = document
    return out


def difference(ours, theirs):
    lines = []
    for key in sorted(set(ours) | set(theirs)):
        a, b = (yaml.safe_dump(side.get(key)) if key in side else '' for side in (ours, theirs))
        if a != b:
            with tempfile.TemporaryDirectory() as folder:
                for name, text in (('kustomize', a), ('chart', b)):
                    pathlib.Path(folder, name).write_text(text)
                lines += [str(key), run('diff', '-u', f'{folder}/kustomize', f'{folder}/chart')[1]]
    return '\n'.join('\n'.join(lines).splitlines()[:60])


def check_equal(makers, way):
    components, settings = WAYS[way]
    kustomized, charted = normal(makers.kustomize(components)), normal(makers.chart(settings))
    check(len(kustomized) >= 8, f'only {len(kustomized)} objects')
    check(kustomized == charted, difference(kustomized, charted))


def check_valid(documents, version, folder):
    """Against Kubernetes' own schemas; kinds that others define have none."""
    path = pathlib.Path(folder) / 'all.yaml'
    known = [document for document in documents
             if not re.match(r'(cert-manager|monitoring\.coreos)', document['apiVersion'])]
    if version == '1.29':  # Where the chart has admissionPolicy.enabled=false.
        known = [document for document in known if not document['kind'].startswith('ValidatingAdmissionPolicy')]
    path.write_text(yaml.safe_dump_all(known))
    tool = tools.cache() / 'kubernetes-validate/bin/kubernetes-validate'
    if not tool.exists():
        raise Skip(f'{tool} is not there (tests/run.sh installs it)')
    code, out, err = run(tool, '-k', version, '--strict', path)
    check(code == 0, out + err)
    check(len(re.findall('passed for resource', out + err)) == len(known), out + err)


def pods(documents):
    for document in documents:
        name = f'{document["kind"]}/{document["metadata"]["name"]}'
        if document['kind'] == 'Pod':
            yield name, document['spec']
        elif 'template' in document.get('spec', {}):
            yield name, document['spec']['template']['spec']


def check_restricted(documents):
    """Pod Security restricted, and what it leaves open: resources, a root that cannot be written to."""
    found = list(pods(documents))
    check(found, 'no pods')
    for name, pod in found:
        general = pod['securityContext']
        check(general['runAsNonRoot'] is True and general['runAsUser'] > 0, f'{name} may run as root')
        check(general['seccompProfile']['type'] == 'RuntimeDefault', f'{name}: seccomp')
        check(not {'hostNetwork', 'hostPID', 'hostIPC'} & set(pod), f'{name} uses the host')
        check({key for volume in pod.get('volumes', []) for key in volume} <= {'name', 'configMap', 'secret', 'projected',
                                                                            'emptyDir'}, f'{name}: volumes')
        for container in pod.get('initContainers', []) + pod['containers']:
            own = container['securityContext']
            check(own['allowPrivilegeEscalation'] is False and own['capabilities'] == {'drop': ['ALL']}, f'{name}: rights')
            check(own['readOnlyRootFilesystem'] is True, f'{name} may write to its image')
            check(own.get('runAsUser', 1) > 0, f'{name} runs as root')
            check('memory' in container['resources']['limits'] and 'cpu' in container['resources']['requests'],
                  f'{name}: resources')
            check(':latest' not in container['image'] and re.search('[:@]', container['image']), f'{name}: image')


def check_minimal(documents, self_managed):
    """Rights in the cluster: by name, never to make, list or watch; none where certificates come from elsewhere."""
    rules = [rule for document in documents if document['kind'] in ('Role', 'ClusterRole') for rule in document['rules']]
    account = next(document for document in documents if document['kind'] == 'ServiceAccount')
    check(account['automountServiceAccountToken'] is False, 'the account hands its token to everyone')
    pod = next(spec for name, spec in pods(documents) if name.startswith('Deployment'))
    check(pod['automountServiceAccountToken'] is self_managed, 'the token of the webhook')
    policy = next(document for document in documents if document['kind'] == 'NetworkPolicy')['spec']
    check(policy['policyTypes'] == ['Ingress', 'Egress'], 'a way that no NetworkPolicy looks at')
    if not self_managed:
        check(not rules and not policy['egress'], 'rights that nothing needs')
        return
    seen = set()
    for rule in rules:
        check(rule.get('resourceNames'), f'not by name: {rule}')
        check(set(rule['verbs']) <= {'get', 'patch'}, f'more than is needed: {rule}')
        seen |= set(rule['resources'])
    check(seen == {'leases', 'secrets', 'mutatingwebhookconfigurations'}, f'{seen}')
    for resource, kind in (('leases', 'Lease'), ('secrets', 'Secret')):
        names = next(rule['resourceNames'] for rule in rules if resource in rule['resources'])
        check(names == [document['metadata']['name'] for document in documents if document['kind'] == kind],
              f'{kind}: what may be patched is not what is there')


def check_no_deadlock(documents):
    """The webhook down must not keep the cluster or itself from coming up."""
    webhooks = [webhook for document in documents if document['kind'] == 'MutatingWebhookConfiguration'
                for webhook in document['webhooks']]
    bindings = [document['spec'] for document in documents if document['kind'] == 'ValidatingAdmissionPolicyBinding']
    check(len(webhooks) == 2 and len(bindings) == 2, f'{len(webhooks)} webhooks, {len(bindings)} bindings')
    for webhook in webhooks:
        check(webhook['failurePolicy'] == 'Fail' and webhook['timeoutSeconds'] <= 5, 'not the failurePolicy that is documented')
        check(webhook['sideEffects'] == 'None' and webhook['matchPolicy'] == 'Equivalent' and
              webhook['reinvocationPolicy'] == 'IfNeeded' and webhook['admissionReviewVersions'] == ['v1'], webhook['name'])
        asks = 'matchLabels' in webhook['objectSelector'] or any('agent-inject' in condition['expression']
                                                                 for condition in webhook['matchConditions'])
        check(asks, f'{webhook["name"]} is called for pods that ask for nothing')
        for rule in webhook['rules']:
            check(rule['resources'] == ['pods'] and rule['operations'] == ['CREATE'] and rule['scope'] == 'Namespaced',
                  f'{webhook["name"]}: {rule}')
    for where in webhooks + [binding['matchResources'] for binding in bindings]:
        out = [name for expression in where['namespaceSelector']['matchExpressions']
               if expression['key'] == 'kubernetes.io/metadata.name' and expression['operator'] == 'NotIn'
               for name in expression['values']]
        check({'kube-system', 'kube-node-lease', NAMESPACE} <= set(out), f'not left out: {out}')
    deployment = next(document for document in documents if document['kind'] == 'Deployment')
    labels = deployment['spec']['template']['metadata']['labels']
    check('secret-injector.io/inject' not in labels, 'the webhook waits for itself')
    check(deployment['spec']['replicas'] >= 2 and deployment['spec']['strategy']['rollingUpdate']['maxUnavailable'] == 0,
          'a rollout leaves nobody')
    budget = next(document for document in documents if document['kind'] == 'PodDisruptionBudget')['spec']
    check(budget['minAvailable'] == 1, 'a drain leaves nobody')
    for selector in (budget['selector']['matchLabels'], deployment['spec']['selector']['matchLabels'],
                     next(document for document in documents if document['kind'] == 'Service')['spec']['selector']):
        check(selector.items() <= labels.items(), f'{selector} selects nothing')


REFUSED = {
    'an unknown value': {'imagee': {}},
    'an unknown value within': {'webhook': {'failurepolicy': 'Fail'}},
    'a word that is none': {'webhook': {'failurePolicy': 'Maybe'}},
    'kube-system asked about': {'webhook': {'excludedNamespaces': ['kube-public']}},
    'text for a number': {'replicas': 'two'},
    'no replicas': {'replicas': 0},
    'a digest that is none': {'image': {'digest': 'sha256:123'}},
    'a Secret of mine without its authority': {'certificates': {'from': 'secret', 'secretName': 'mine'}},
    'an authority that is none': {'certificates': {'from': 'secret', 'secretName': 'mine', 'caBundle': 'abc'}},
    'no image for the sidecar': {'policy': {'image': ''}},
}

TAKEN = {
    'a digest': ({'image': {'repository': 'r.example/w', 'digest': 'sha256:' + 'a' * 64}},
                 lambda all: pod_of(all)['containers'][0]['image'] == 'r.example/w@sha256:' + 'a' * 64),
    'a Secret of mine': ({'certificates': {'from': 'secret', 'secretName': 'mine', 'caBundle': '-----BEGIN CERTIFICATE-----\n'}},
                         lambda all: pod_of(all)['volumes'][0]['secret']['secretName'] == 'mine' and
                         all['MutatingWebhookConfiguration'][0]['webhooks'][0]['clientConfig']['caBundle']),
    'an issuer of mine': ({'certificates': {'from': 'cert-manager', 'issuerRef': {'kind': 'ClusterIssuer', 'name': 'mine'}}},
                          lambda all: 'Issuer' not in all and
                          [c['spec']['issuerRef']['name'] for c in all['Certificate']] == ['mine']),
    'vault-k8s still here': ({'webhook': {'vaultAnnotations': {'enabled': False}}},
                             lambda all: len(all['MutatingWebhookConfiguration'][0]['webhooks']) == 1 and
                             len(all['ValidatingAdmissionPolicy']) == 1),
    'vault-k8s left by some': (
        {'webhook': {'vaultAnnotations': {'namespaceSelector': [{'key': 'moved', 'operator': 'Exists'}]}}},
        lambda all: [sum('moved' == e['key'] for e in w['namespaceSelector']['matchExpressions'])
                     for w in all['MutatingWebhookConfiguration'][0]['webhooks']] == [0, 1] and
        sum('moved' in str(b) for b in all['ValidatingAdmissionPolicyBinding']) == 1),
    'no policy before 1.30': ({'admissionPolicy': {'enabled': False}}, lambda all: 'ValidatingAdmissionPolicy' not in all),
    'addresses of the API server': (
        {'networkPolicy': {'apiServerCIDRs': ['10.0.0.1/32'], 'apiServerPorts': [6443]}},
        lambda all: '10.0.0.1/32' in str(all['NetworkPolicy'][0]['spec']['egress']) and
        '10.0.0.1/32' in str(all['NetworkPolicy'][0]['spec']['ingress'][0])),
    'stores': ({'policy': {'image': 'i:1', 'stores': [{'name': 'a'}]}},
               lambda all: yaml.safe_load(all['ConfigMap'][0]['data']['policy.yaml'])['stores'] == [{'name': 'a'}]),
    'everything about scheduling': (
        {'priorityClassName': 'system-cluster-critical', 'nodeSelector': {'a': 'b'}, 'tolerations': [{'operator': 'Exists'}],
         'podAnnotations': {'c': 'd'}, 'podLabels': {'e': 'f'}, 'imagePullSecrets': [{'name': 'g'}]},
        lambda all: {'priorityClassName', 'nodeSelector', 'tolerations', 'imagePullSecrets'} <= set(pod_of(all))),
    'one replica, which no drain waits for': ({'replicas': 1}, lambda all: 'PodDisruptionBudget' not in all),
    'another name and namespace': ({'name': 'other'}, lambda all: all['Service'][0]['metadata']['name'] == 'other' and
                                   '--service=other' in pod_of(all)['containers'][0]['args']),
}


def pod_of(kinds):
    return kinds['Deployment'][0]['spec']['template']['spec']


def kinds_of(documents):
    out = {}
    for document in documents:
        if not is_hook(document):
            out.setdefault(document['kind'], []).append(document)
    return out


def check_refused(makers, values):
    try:
        makers.chart(values=values)
    except AssertionError as error:
        check('schema' in str(error) or 'validation' in str(error), f'refused, but not by the schema: {error}')
        return
    raise AssertionError('was taken')


def check_lint(makers):
    code, out, err = run(makers.helm, 'lint', '--strict', CHART, '--namespace', NAMESPACE)
    check(code == 0, out + err)


def check_overlays(makers):
    """The overlays that users name are the components that are tested."""
    for name in ('cert-manager', 'monitoring'):
        check(makers.folder(KUSTOMIZE / 'overlays' / name) == makers.kustomize([name]), name)


def check_options(programs, documents):
    """The program takes the very arguments of the Deployment: it complains of the cluster that is not there, not of
    its usage."""
    pod = next(spec for name, spec in pods(documents) if name.startswith('Deployment'))
    arguments = pod['containers'][0]['args']
    help_text = run(programs / 'secret-webhook', '--help')[1]
    for argument in arguments:
        option = argument.split('=')[0]
        check(re.search(rf'^ *{option}\b', help_text, re.M), f'{option} is no option of secret-webhook')
    code, out, err = run(programs / 'secret-webhook', *arguments)
    check('--help' not in err, f'exit code {code}: {out}{err}')


def check_policy(programs, documents, role='r'):
    """The policy that is deployed is one that the program takes."""
    text = next(document for document in documents if document['metadata']['name'].endswith('-policy') and
                document['kind'] == 'ConfigMap')['data']['policy.yaml']
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        (path / 'policy.yaml').write_text(text)
        (path / 'pod.yaml').write_text(yaml.safe_dump({'apiVersion': 'v1', 'kind': 'Pod', 'metadata': {
            'name': 'a', 'labels': {'secret-injector.io/inject': 'true'},
            'annotations': {'secret-injector.io/role': role, 'secret-injector.io/secret.p': 'kv/p#p'}},
            'spec': {'containers': [{'name': 'a', 'image': 'a'}]}}))
        code, out, err = run(programs / 'secret-injector', 'inject', '-f', path / 'pod.yaml', '--policy',
                             path / 'policy.yaml')
        check(code == 0 and yaml.safe_load(text)['image'] in out, f'exit code {code}: {out}{err}')


def check_readme(makers, programs):
    """The values that the README shows are taken, by the chart and by the program."""
    text = (ROOT / 'deploy/README.md').read_text()
    values = yaml.safe_load(re.search(r'```yaml\n# values.yaml\n(.*?)```', text, re.S)[1].replace('...', 'a' * 64)
                            .replace('REGISTRY', 'registry.example'))
    documents = makers.chart(values=values)
    check(pod_of(kinds_of(documents))['containers'][0]['image'].startswith('registry.example/secret-webhook@sha256:'), 'image')
    check_policy(programs, documents, 'shop')
    for name in re.findall(r'\]\(([^)#]+)\)', text):
        check((ROOT / 'deploy' / name).exists(), f'{name} is not there')
    for argument in re.findall(r'--set ([\w.]+)=|`([\w.]+)=', text):
        name = next(filter(None, argument))
        place = yaml.safe_load((CHART / 'values.yaml').read_text())
        for part in name.split('.'):
            check(part in place, f'{name} is no value')
            place = place[part]


def main(programs):
    sheet = Sheet()
    makers = Makers()
    for way in WAYS:
        with sheet.case(f'{way}: the chart and kustomize make the same objects'):
            check_equal(makers, way)
    every = {way: makers.chart(settings) for way, (_, settings) in WAYS.items()}
    with tempfile.TemporaryDirectory() as folder:
        for version in ('1.29', '1.30', '1.33', '1.37'):
            with sheet.case(f'valid for Kubernetes {version}, strictly'):
                check_valid(every['cert-manager and monitoring'] + every['base'], version, folder)
    with sheet.case('the overlays are the components'):
        check_overlays(makers)
    with sheet.case('helm lint --strict'):
        check_lint(makers)
    for way, documents in every.items():
        with sheet.case(f'{way}: everything that runs is restricted'):
            check_restricted(documents)
        with sheet.case(f'{way}: rights by name, and no others'):
            check_minimal(documents, 'cert-manager' not in way)
        with sheet.case(f'{way}: no deadlock, and always a replica'):
            check_no_deadlock(documents)
    for name, values in REFUSED.items():
        with sheet.case(f'the schema refuses {name}'):
            check_refused(makers, values)
    for name, (values, holds) in TAKEN.items():
        with sheet.case(f'the chart takes {name}'):
            check(holds(kinds_of(makers.chart(values=values))), 'it changes nothing')
    for way in ('base', 'cert-manager'):
        with sheet.case(f'{way}: secret-webhook knows its arguments'):
            check_options(programs, every[way])
    with sheet.case('the policy that is deployed is taken by secret-injector'):
        check_policy(programs, every['base'])
    with sheet.case('the README\'s values are taken'):
        check_readme(makers, programs)
    metrics.check_all(sheet, programs, every['monitoring'])
    return sheet.end()


if __name__ == '__main__':
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve()))
