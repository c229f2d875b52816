"""What is asked of metrics, beside what the programs have: pages of real processes, and the tables in the source for
families that a short life leaves empty."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request

import yaml

from sheet import Skip, check

ROOT = pathlib.Path(__file__).resolve().parents[2]
MONITORING = ROOT / 'deploy/kustomize/components/monitoring'
# What Prometheus itself adds to a sample of ours, and PromQL's own words.
ADDED = {'namespace', 'pod', 'container', 'job', 'instance', 'endpoint', 'service', 'le'}
OTHERS = {'up'}


def declared():
    """Families in the source: name -> kind."""
    out = {}
    for source in (ROOT / 'injector').rglob('*.cpp'):
        text = source.read_text()
        for name, kind in re.findall(r'(?:family|each)\(\s*"([a-z_]+)",\s*(?:\w+::)*(counter|gauge|histogram)', text):
            out[name] = kind
    return out


def names_of(families):
    out = set()
    for name, kind in families.items():
        out |= {name + suffix for suffix in ('_bucket', '_sum', '_count')} if kind == 'histogram' else {name}
    return out


def free_port():
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        return listener.getsockname()[1]


def page(port, process):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        check(process.poll() is None, f'it ended with {process.poll()}')
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(f'http://127.0.0.1:{port}/metrics', timeout=2) as answer:
                return answer.read().decode()
        time.sleep(0.1)
    raise AssertionError('no page of metrics within 10 s')


@contextlib.contextmanager
def running(*command):
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log)
        try:
            yield process
        except AssertionError as error:
            log.seek(0)
            raise AssertionError(f'{error}\n{log.read().decode(errors="replace")[-2000:]}') from error
        finally:
            process.terminate()
            process.wait(20)


def page_of_sidecar(programs):
    """With made-up secrets from a file, on a tmpfs of its own."""
    if os.getuid() != 0:
        raise Skip('needs root, for a tmpfs')
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        (place / 'values').mkdir(mode=0o700)
        (place / 'values/db.json').write_text('{"password": "made up"}')
        (place / 'values/db.json').chmod(0o600)
        (place / 'mount').mkdir()
        (place / 'app.yaml').write_text(yaml.safe_dump({
            'mount': str(place / 'mount'), 'health': {'listen': f'127.0.0.1:{port}'},
            'stores': {'here': {'file': {'directory': str(place / 'values')}}},
            'files': [{'path': 'password', 'from': 'here:db.json#password'}]}))
        inside = f'mount -t tmpfs -o size=1m,mode=700 tmpfs {place}/mount && exec {programs}/secret-injector run -c {place}/app.yaml'
        with running('unshare', '-m', 'sh', '-c', inside) as process:
            return page(port, process)


def page_of_webhook(programs):
    port, other = free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days',
                        '2', '-keyout', f'{folder}/tls.key', '-out', f'{folder}/tls.crt', '-subj', '/CN=webhook', '-addext',
                        'subjectAltName=DNS:webhook.a.svc'], check=True, stderr=subprocess.DEVNULL)
        with running(programs / 'secret-webhook', f'--listen=127.0.0.1:{other}', f'--health=127.0.0.1:{port}',
                     f'--tls-cert={folder}/tls.crt', f'--tls-key={folder}/tls.key') as process:
            return page(port, process)


def labels_of(text):
    """Of a page: the name of each sample -> the names of its labels."""
    out = {}
    for line in text.splitlines():
        found = re.match(r'([a-z_]+)(?:\{(.*)\})? ', line)
        if found and not line.startswith('#'):
            out.setdefault(found[1], set()).update(re.findall(r'([a-z_]+)="', found[2] or ''))
    return out


def plain(expression):
    """A dashboard's expression as PromQL: its variables replaced."""
    return re.sub(r'\$__rate_interval', '5m', re.sub(r'\$namespace|\$\{namespace\}', '.*', expression))


def queries():
    """Where each stands -> its expression."""
    rules = yaml.safe_load((MONITORING / 'rules.yaml').read_text())['spec']['groups']
    for group in rules:
        for rule in group['rules']:
            yield f'alert {rule["alert"]}', rule['expr']
    dashboard = json.loads((MONITORING / 'secret-injector.json').read_text())
    for panel in dashboard['panels']:
        for target in panel.get('targets', []):
            yield f'panel {panel["title"]}', plain(target['expr'])
    for variable in dashboard['templating']['list']:
        if variable['type'] == 'query':
            yield f'variable {variable["name"]}', re.match(r'label_values\((.*), *\w+\)$', variable['query']['query'])[1]


def asked(expression):
    """The metrics in an expression -> the labels that are selected by."""
    out = {}
    for name, braces in re.findall(r'\b((?:secret_injector|process)_[a-z_]+|up)\b(\{[^}]*\})?', expression):
        out.setdefault(name, set()).update(re.findall(r'([a-z_]+)(?:=~|!~|!=|=)', braces or ''))
    return out


def grouped(expression):
    return {label.strip() for part in re.findall(r'\b(?:by|on) ?\(([^)]*)\)', expression) for label in part.split(',')}


def check_queries(pages):
    families = declared()
    names = names_of(families) | OTHERS | {name for text in pages for name in labels_of(text) if name.startswith('process_')}
    known = {}
    for text in pages:
        for name, labels in labels_of(text).items():
            known.setdefault(name, set()).update(labels)
    faults, count = [], 0
    for place, expression in queries():
        metrics = asked(expression)
        check(metrics, f'{place} asks for nothing of ours: {expression}')
        for name, labels in metrics.items():
            count += 1
            if name not in names:
                faults.append(f'{place}: there is no metric {name}')
            elif name in known and labels - known[name] - ADDED:
                faults.append(f'{place}: {name} has no label {labels - known[name] - ADDED}')
        if all(name in known for name in metrics):
            there = set().union(*(known[name] for name in metrics)) | ADDED
            faults += [f'{place}: grouped by {label}' for label in grouped(expression) - there]
    check(not faults, '\n'.join(faults))
    check(count > 30, f'only {count} metrics are asked for')


def check_declared(pages):
    """The table that queries are held against is what the programs really show."""
    families = declared()
    for text in pages:
        for name, kind in re.findall(r'^# TYPE (secret_injector_\S+) (\S+)', text, re.M):
            check(families.get(name) == kind, f'{name} is a {kind} on the page and {families.get(name)} in the source')


def promtool(*arguments, stdin=''):
    if not shutil.which('promtool'):
        raise Skip('promtool is not installed')
    done = subprocess.run(['promtool', *map(str, arguments)], input=stdin, capture_output=True, text=True, check=False)
    check(done.returncode == 0, done.stdout + done.stderr)


def check_rules(documents):
    """The rules, as the operator hands them to Prometheus; then what they say to made-up series."""
    rules = next(document for document in documents if document['kind'] == 'PrometheusRule')['spec']
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        (place / 'rules.yaml').write_text(yaml.safe_dump(rules))
        promtool('check', 'rules', place / 'rules.yaml')
        shutil.copy(pathlib.Path(__file__).with_name('alerts.yaml'), place)
        promtool('test', 'rules', place / 'alerts.yaml')
        tried = (place / 'alerts.yaml').read_text()
        for group in rules['groups']:
            for rule in group['rules']:
                check(f'alertname: {rule["alert"]}\n' in tried, f'{rule["alert"]} is not tried')
                check({'summary', 'description'} <= set(rule['annotations']), f'{rule["alert"]} does not say what to do')


def check_expressions():
    """The dashboard's, by Prometheus' own parser."""
    groups = {'groups': [{'name': 'dashboard', 'rules': [{'record': f'dashboard:{i}'.replace('-', '_'), 'expr': expression}
                                                         for i, (_, expression) in enumerate(queries())]}]}
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / 'rules.yaml'
        path.write_text(yaml.safe_dump(groups))
        promtool('check', 'rules', path)


def check_dashboard():
    dashboard = json.loads((MONITORING / 'secret-injector.json').read_text())
    ids = [panel['id'] for panel in dashboard['panels']]
    check(len(ids) == len(set(ids)), 'two panels with one id')
    taken = set()
    for panel in dashboard['panels']:
        place = panel['gridPos']
        cells = {(x, y) for x in range(place['x'], place['x'] + place['w']) for y in range(place['y'], place['y'] + place['h'])}
        check(not cells & taken and place['x'] + place['w'] <= 24, f'{panel["title"]} stands on another')
        taken |= cells
        if panel['type'] != 'row':
            check(panel['targets'] and panel['fieldConfig']['defaults']['unit'], panel['title'])
            check(panel['datasource']['uid'] == '${source}', f'{panel["title"]}: a data source of its own')
    used = {name for _, text in queries() for name in asked(text)}
    missing = {name for name in declared() if name.endswith('_failures_total')} - used
    check(not missing, f'failures that nobody looks at: {missing}')


def check_monitors(documents):
    """What is scraped is there: the Service's port; the sidecar's, as the patch of a pod has it."""
    service = next(document for document in documents if document['kind'] == 'Service')
    monitor = next(document for document in documents if document['kind'] == 'ServiceMonitor')['spec']
    check(monitor['selector']['matchLabels'].items() <= service['metadata']['labels'].items(), 'the Service is not found')
    ports = {port['name'] for port in service['spec']['ports']}
    check({endpoint['port'] for endpoint in monitor['endpoints']} <= ports, 'no such port')
    rules = next(document for document in documents if document['kind'] == 'PodMonitor')['spec']['podMetricsEndpoints'][0]['relabelings']

    def scraped(labels):
        """What Prometheus makes of a target's labels."""
        labels = dict(labels)
        for rule in rules:
            text = ';'.join(labels.get(name, '') for name in rule['sourceLabels'])
            found = re.fullmatch(rule['regex'], text)
            if rule.get('action') == 'keep':
                if not found:
                    return None
            elif found:
                labels[rule['targetLabel']] = found.expand(re.sub(r'\$(\d)', r'\\\1', rule['replacement']))
        return labels['__address__']

    pod = {'__meta_kubernetes_pod_container_name': 'secret-injector', '__meta_kubernetes_pod_ip': '10.1.2.3',
           '__address__': '10.1.2.3'}
    health = '__meta_kubernetes_pod_annotation_secret_injector_io_health_port'
    source = (ROOT / 'injector/pod/plan.cpp').read_text()
    port = re.search(r'kHealthPort = (\d+);', source)[1]
    check(scraped(pod) == f'10.1.2.3:{port}', f'{scraped(pod)}')
    check(scraped({**pod, health: '9910'}) == '10.1.2.3:9910', scraped({**pod, health: '9910'}))
    check(scraped({**pod, '__meta_kubernetes_pod_ip': 'fd00::1'}) == f'[fd00::1]:{port}', 'IPv6')
    check(scraped({**pod, '__meta_kubernetes_pod_container_name': 'app'}) is None, 'other containers are scraped')


def check_all(sheet, programs, documents):
    pages = []
    for name, make in (('secret-injector', page_of_sidecar), ('secret-webhook', page_of_webhook)):
        with sheet.case(f'{name}: its metrics pass promtool'):
            pages.append(make(programs))
            promtool('check', 'metrics', stdin=pages[-1])
    with sheet.case('the table of metrics is what the programs show'):
        check(pages, 'no page')
        check_declared(pages)
    with sheet.case('alerts and dashboard ask for metrics and labels that exist'):
        check_queries(pages)
    with sheet.case('alerts fire when they should, and not else'):
        check_rules(documents)
    with sheet.case('the expressions of the dashboard are PromQL'):
        check_expressions()
    with sheet.case('the dashboard is whole'):
        check_dashboard()
    with sheet.case('monitors find the webhook and the sidecars'):
        check_monitors(documents)
