"""The API server's own word on the manifests: strict validation, as a dry run."""
import json

from place import RELEASE, ROOT, Skipped

# Of the kinds that come from elsewhere, so that whole overlays can be sent.
FOREIGN = [('monitoring.coreos.com', 'v1', 'ServiceMonitor'), ('monitoring.coreos.com', 'v1', 'PodMonitor'),
           ('monitoring.coreos.com', 'v1', 'PrometheusRule'), ('cert-manager.io', 'v1', 'Certificate'),
           ('cert-manager.io', 'v1', 'Issuer')]


def foreign_kinds(place):
    """Open schemas in the place of the operators' own: their fields are not checked here."""
    objects = []
    for group, version, kind in FOREIGN:
        plural = kind.lower() + 's'
        objects.append({
            'apiVersion': 'apiextensions.k8s.io/v1', 'kind': 'CustomResourceDefinition', 'metadata': {'name': f'{plural}.{group}'},
            'spec': {'group': group, 'scope': 'Namespaced', 'names': {'kind': kind, 'plural': plural}, 'versions': [{
                'name': version, 'served': True, 'storage': True, 'schema': {'openAPIV3Schema': {
                    'type': 'object', 'x-kubernetes-preserve-unknown-fields': True}}}]}})
    with place.lock:
        place.cluster.apply(*objects)
    for group, _, kind in FOREIGN:
        place.cluster.kubectl('wait', '--for=condition=Established', f'crd/{kind.lower()}s.{group}', '--timeout=30s')


def strictly(place, text):
    return place.cluster.kubectl('apply', '--dry-run=server', '--validate=strict', '-f', '-', stdin=text)


def every_manifest_passes_strict_validation(place):
    foreign_kinds(place)
    folders = [ROOT / 'deploy/kustomize/base', *sorted((ROOT / 'deploy/kustomize/overlays').iterdir())]
    for folder in folders:
        told = strictly(place, place.cluster.kubectl('kustomize', folder))
        assert 'dry run' in told, (folder, told)


def every_form_of_the_chart_passes_strict_validation(place):
    foreign_kinds(place)
    bundle = f'certificates.caBundle={place.store.ca}'
    for words in ([], ['--set', 'monitoring.enabled=true'], ['--set', 'certificates.from=cert-manager'],
                  ['--set', 'certificates.from=secret', '--set', 'certificates.secretName=x', '--set-file', bundle],
                  ['--set', 'admissionPolicy.enabled=false', '--set', 'networkPolicy.enabled=false', '--set',
                   'webhook.vaultAnnotations.enabled=false']):
        text = place.cluster.helm('template', RELEASE, ROOT / 'deploy/helm/secret-injector', '-n', RELEASE, *words)
        told = strictly(place, text)
        assert 'dry run' in told, (words, told)


def an_unknown_field_would_have_been_seen(place):
    """The control: what the two tests above rest on."""
    from cluster import Failed
    try:
        strictly(place, json.dumps({'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': 'x', 'namespace': 'default'},
                                    'dta': {}}))
    except Failed as error:
        assert 'unknown field' in str(error), error
        return
    raise AssertionError('an unknown field was not seen')


def network_policies_are_enforced(_):
    raise Skipped('the bridge plugin of CNI, the one that Debian has, enforces none; the policies are validated only')


TESTS = [every_manifest_passes_strict_validation, every_form_of_the_chart_passes_strict_validation,
         an_unknown_field_would_have_been_seen, network_policies_are_enforced]
