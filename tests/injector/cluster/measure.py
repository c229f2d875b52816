"""What injection costs, measured: a pod's start beside the same pod without, and the sidecar's memory."""
import statistics
import time

from place import WAIT, eventually, ours, pod
from pods import process_of

ROUNDS = 7
MORE_START = 0.3      # s, the goal
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


def injection_costs_a_pods_start_little(place):
    space = place.namespace()
    place.store.put(f'{space}/db', password='measured')
    annotations = ours(role=space, secret_password=f'secret/{space}/db#password')
    plain, injected = [], []
    for i in range(ROUNDS):
        for kind, times, asked in (('plain', plain, None), ('injected', injected, annotations)):
            name = f'{kind}-{i}'
            times.append(started(place, space, name, pod(name, WAIT, asked, injected=asked is not None)))
            place.cluster.kubectl('-n', space, 'delete', 'pod', name, '--wait=false', '--grace-period=1')
        eventually(lambda: not place.cluster.pods(space), 60)
    more = statistics.median(injected) - statistics.median(plain)
    print(f'  a pod starts in {statistics.median(plain):.2f} s, injected in {statistics.median(injected):.2f} s: '
          f'{more:+.2f} s (goal +{MORE_START} s); all: ' + ' '.join(f'{a:.2f}/{b:.2f}' for a, b in zip(plain, injected)))
    assert more < 1.5, f'{more:.2f} s more'


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
