"""What injection costs, measured: a pod's start beside the same pod without, and the sidecar's memory."""
import json
import statistics
import time

from place import WAIT, eventually, ours, pod
from pods import process_of

ROUNDS = 7
MORE_START = 0.3      # s, the goal: ours, beside a sidecar that does nothing
MEMORY = 10.0         # MiB, the goal


def started(place, space, name, asked):
    """Seconds from `kubectl apply`'s request to the application's first line, by one clock: that of the API's objects is
    too coarse."""
    begun = time.monotonic()
    status, body = place.cluster.request('POST', f'/api/v1/namespaces/{space}/pods', asked)
    assert status == 201, body
    path = f'/api/v1/namespaces/{space}/pods/{name}'

    def running():
        seen = place.cluster.try_get(path) or {}
        return any(s['name'] == 'app' and 'running' in s['state'] for s in seen.get('status', {}).get('containerStatuses', []))
    eventually(running, 60, 0.01)
    return time.monotonic() - begun


def with_empty_sidecar(asked):
    """What Kubernetes itself takes for any native sidecar with a startup probe: it looks at containers once a second."""
    empty = json.loads(json.dumps(asked['spec']['containers'][0]))
    empty.update(name='empty', restartPolicy='Always', startupProbe={'exec': {'command': ['true']}, 'periodSeconds': 1})
    return dict(asked, spec=dict(asked['spec'], initContainers=[empty]))


def injection_costs_a_pods_start_little(place):
    space = place.namespace()
    place.store.put(f'{space}/db', password='measured')
    annotations = ours(role=space, secret_password=f'secret/{space}/db#password')
    times = {'plain': [], 'empty': [], 'injected': []}
    for i in range(ROUNDS):
        for kind, taken in times.items():
            name = f'{kind}-{i}'
            asked = pod(name, WAIT, annotations if kind == 'injected' else None, injected=kind == 'injected')
            taken.append(started(place, space, name, with_empty_sidecar(asked) if kind == 'empty' else asked))
            place.cluster.kubectl('-n', space, 'delete', 'pod', name, '--wait=false', '--grace-period=1')
        eventually(lambda: not place.cluster.pods(space), 60)
    plain, empty, injected = (statistics.median(taken) for taken in times.values())
    print(f'  a pod starts in {plain:.2f} s, with an empty native sidecar in {empty:.2f} s, injected in {injected:.2f} s: '
          f'{injected - plain:+.2f} s in all, {injected - empty:+.2f} s by ours; goal +{MORE_START} s')
    for kind, taken in times.items():
        print(f'    {kind}: ' + ' '.join(f'{one:.2f}' for one in taken))
    assert injected - empty < 3 * MORE_START, 'ours takes more than thrice its goal'


def the_sidecar_is_small(place):
    space = place.namespace()
    place.store.put(f'{space}/db', password='measured')
    place.cluster.apply(pod('shop', WAIT, ours(role=space, secret_password=f'secret/{space}/db#password', refresh='1s')),
                        namespace=space)
    seen = place.cluster.wait_ready(space, 'shop')
    time.sleep(15)   # idle connections are closed
    status = process_of(place.cluster, seen, 'secret-injector')

    def mib(key):
        return int(status[key].split()[0]) / 1024
    pss = 0
    with open(f'/proc/{status["number"]}/smaps_rollup') as file:
        for line in file:
            if line.startswith('Pss:'):
                pss = int(line.split()[1]) / 1024
    print(f'  the sidecar in the pod: {mib("VmRSS"):.1f} MiB resident ({mib("RssAnon"):.1f} MiB its own, {pss:.1f} MiB shared by '
          f'all who map it), most {mib("VmHWM"):.1f} MiB (goal {MEMORY:.0f} MiB)')
    assert mib('RssAnon') < MEMORY, status['RssAnon']


TESTS = [injection_costs_a_pods_start_little, the_sidecar_is_small]
