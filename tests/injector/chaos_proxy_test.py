#!/usr/bin/python3
"""Checks that chaos_proxy.py does what it says: a test that believes a proxy which forwards everything proves nothing."""
import contextlib
import json
import pathlib
import socket
import subprocess
import sys
import threading
import time

BODY = bytes(range(200))


def serve(listener):
    """Answers each line with BODY."""
    def one(client):
        with client, contextlib.suppress(OSError):
            while client.recv(100):
                client.sendall(BODY)
    while True:
        threading.Thread(target=one, args=(listener.accept()[0],), daemon=True).start()


class Proxy:
    def __init__(self, port):
        script = pathlib.Path(__file__).with_name('chaos_proxy.py')
        self.child = subprocess.Popen([sys.executable, script, f'127.0.0.1:{port}'], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)
        self.port = json.loads(self.child.stdout.readline())['port']

    def tell(self, command):
        self.child.stdin.write(command + '\n')
        self.child.stdin.flush()
        return json.loads(self.child.stdout.readline())

    def connect(self, timeout=0.5):
        return socket.create_connection(('127.0.0.1', self.port), timeout)

    def ask(self, client=None):
        """What comes for one question, and how it ends: 'open', 'end', 'reset', 'refused'."""
        got = b''
        try:
            client = client or self.connect()
            client.sendall(b'?\n')
            while len(got) < len(BODY):
                piece = client.recv(1000)
                if not piece:
                    return got, 'end'
                got += piece
            return got, 'whole'
        except socket.timeout:
            return got, 'open'
        except ConnectionRefusedError:
            return got, 'refused'
        except (ConnectionResetError, BrokenPipeError):
            return got, 'reset'


def main():
    listener = socket.create_server(('127.0.0.1', 0))
    threading.Thread(target=serve, args=(listener,), daemon=True).start()
    proxy = Proxy(listener.getsockname()[1])
    failed = []
    checks = 0

    def check(name, well):
        nonlocal checks
        checks += 1
        if not well:
            failed.append(name)

    check('pass', proxy.ask() == (BODY, 'whole'))
    for weather, expected in (('refuse', (b'', 'refused')), ('hole', (b'', 'open')), ('cut 10', (BODY[:10], 'end')),
                              ('cut 0', (b'', 'end')), ('reset 0', (b'', 'reset')), ('reset 10', (BODY[:10], 'reset')),
                              ('stall 10', (BODY[:10], 'open')),
                              ('flip 3', (BODY[:3] + b'\xfc' + BODY[4:], 'whole'))):
        check(weather, proxy.tell(weather) == {'ok': True})
        check(weather, proxy.ask() == expected)
        check(weather + ', then pass', proxy.tell('pass') == {'ok': True} and proxy.ask() == (BODY, 'whole'))

    proxy.tell('delay 100')
    begun = time.monotonic()
    check('delay', proxy.ask() == (BODY, 'whole') and 0.2 <= time.monotonic() - begun < 0.5)
    proxy.tell('rate 50')
    with proxy.connect(5) as client:
        client.sendall(b'?\n')
        begun = time.monotonic()
        while time.monotonic() - begun < 0.5:
            check('one by one', len(client.recv(1000)) == 1)
    proxy.tell('pass')

    with proxy.connect() as client:
        check('open', proxy.ask(client) == (BODY, 'whole'))
        proxy.tell('hole')
        check('hole in an open connection', proxy.ask(client) == (b'', 'open'))
        proxy.tell('pass')
        check('nothing is lost in a hole', proxy.ask(client)[1] == 'whole')
        proxy.tell('drop')
        time.sleep(0.05)
        check('drop', proxy.ask(client)[1] == 'reset')
    with proxy.connect() as client:
        proxy.ask(client)
        proxy.tell('close')
        check('close', proxy.ask(client)[1] in ('end', 'reset'))

    proxy.tell('next 2 reset 0')
    check('next', [proxy.ask()[1] for _ in range(3)] == ['reset', 'reset', 'whole'])
    proxy.tell('refuse')
    proxy.tell('after 200 pass')
    check('before', proxy.ask()[1] == 'refused')
    time.sleep(0.4)
    check('after', proxy.ask()[1] == 'whole')
    proxy.tell('forget')
    proxy.ask()
    proxy.ask()
    stats = proxy.tell('stats')
    check('stats', stats['connections'] == 2 and stats['down'] == 2 * len(BODY) and len(stats['times']) == 2)
    check('mistakes', 'error' in proxy.tell('fog') and 'error' in proxy.tell('cut') and 'error' in proxy.tell('rate 0'))
    check('a mistake changes nothing', proxy.ask() == (BODY, 'whole'))
    proxy.child.stdin.close()
    check('it ends with its stdin', proxy.child.wait(5) == 0)
    print('\n'.join(failed))
    print(f'{checks - len(failed)} passed, {len(failed)} failed')
    return 1 if failed else 0


sys.exit(main())
