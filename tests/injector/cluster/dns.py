#!/usr/bin/python3
"""The cluster's name server, as small as it can be: A records of services, and NXDOMAIN for all else.

usage: dns.py ADDRESS KUBECONFIG      kubectl must be on PATH; reads the services anew for each unknown name
"""
import json
import socket
import struct
import subprocess
import sys
import time

DOMAIN = 'cluster.local'


class Services:
    """NAME.NAMESPACE.svc.cluster.local -> address; asked at most every half second."""

    def __init__(self, config):
        self.config, self.known, self.asked = config, {}, 0.0

    def find(self, name):
        if name not in self.known and time.monotonic() - self.asked > 0.5:
            self.asked = time.monotonic()
            text = subprocess.run(['kubectl', '--kubeconfig', self.config, 'get', 'services', '-A', '-o', 'json'],
                                  capture_output=True, text=True, check=False).stdout
            if text:
                self.known = {f'{s["metadata"]["name"]}.{s["metadata"]["namespace"]}.svc.{DOMAIN}': s['spec'].get('clusterIP')
                              for s in json.loads(text)['items']}
        address = self.known.get(name)
        return None if address in (None, 'None') else address


def answer(question, services):
    """The datagram that answers one question; only names of services exist."""
    identity, flags = struct.unpack('>HH', question[:4])
    labels, at = [], 12
    while question[at]:
        labels.append(question[at + 1:at + 1 + question[at]].decode('ascii', 'replace').lower())
        at += 1 + question[at]
    kind, = struct.unpack('>H', question[at + 1:at + 3])
    asked = question[12:at + 5]
    address = services.find('.'.join(labels))
    code = 0 if address else 3
    records = b''
    if address and kind == 1:
        records = struct.pack('>HHHIH', 0xC00C, 1, 1, 5, 4) + socket.inet_aton(address)
    return struct.pack('>HHHHHH', identity, 0x8580 | (flags & 0x0100) | code, 1, 1 if records else 0, 0, 0) + asked + records


def main():
    services = Services(sys.argv[2])
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((sys.argv[1], 53))
    while True:
        question, client = server.recvfrom(2048)
        try:
            server.sendto(answer(question, services), client)
        except (IndexError, struct.error):
            pass


if __name__ == '__main__':
    main()
