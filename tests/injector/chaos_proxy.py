#!/usr/bin/env python3
"""A TCP proxy that misbehaves on command: the weather for tests of the sidecar.

usage: chaos_proxy.py HOST:PORT

Listens on a free port of 127.0.0.1, prints {"port": N}, then obeys one command a line on stdin with one line of JSON
each on stdout, and ends with its stdin. Bytes are those on the wire, so with TLS they count handshakes and records.

  pass                 forward everything: how it begins, and the end of any other weather
  refuse               nobody listens: "connection refused" (such attempts cannot be counted)
  hole                 accept, and let nothing through in either direction; what is open stalls, too
  delay MS [JITTER]    each piece arrives MS later, plus a random part of JITTER
  rate N               answers come at N bytes a second, one by one below 1,000: `rate 1` is one byte a second
  cut N                each connection ends in order after N bytes of answers
  reset N              ... ends by RST after N bytes of answers; `reset 0`: as soon as it is accepted
  stall N              ... stays open, but gives no more after N bytes of answers
  flip N               byte N of the answers, from 0, arrives inverted
  next K COMMAND       the next K connections have that weather, each for its whole life; others have the general one
  after MS COMMAND     that command, MS later; a script is several of these
  drop                 RST to all open connections, now
  close                an orderly end of all open connections, now
  to HOST:PORT         where new connections lead
  stats                {"connections": accepted so far, "open", "up", "down": bytes, "times": of each accept, seconds
                       since the start}
  forget               sets what `stats` counts to 0
"""
import asyncio
import dataclasses
import json
import random
import socket
import struct
import sys
import time


@dataclasses.dataclass
class Weather:
    kind: str = 'pass'
    amount: float = 0
    jitter: float = 0


KINDS = {'pass': 0, 'refuse': 0, 'hole': 0, 'delay': 1, 'rate': 1, 'cut': 1, 'reset': 1, 'stall': 1, 'flip': 1}


def weather_of(words):
    kind, numbers = words[0], [float(word) for word in words[1:]]
    if kind not in KINDS or len(numbers) < KINDS[kind] or min(numbers, default=0) < 0:
        raise ValueError('no such weather: ' + ' '.join(words))
    if kind == 'rate' and numbers[0] == 0:
        raise ValueError('a rate of 0 is `hole`')
    return Weather(kind, *numbers[:2])


class Connection:
    """One client, its way to the server, and the weather that it has of its own, if any."""

    def __init__(self, proxy, reader, writer, own):
        self.proxy, self.reader, self.writer, self.own = proxy, reader, writer, own
        self.server = None
        self.answered = 0
        self.ended = False

    def weather(self):
        return self.own or self.proxy.weather

    def end(self, by_reset):
        if self.ended:
            return
        self.ended = True
        for writer in (self.writer, self.server):
            if writer is None:
                continue
            raw = writer.get_extra_info('socket')
            if by_reset and raw.fileno() >= 0:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
                writer.transport.abort()
            else:
                writer.close()

    async def flowing(self):
        """Waits as long as nothing may pass."""
        while not self.ended and (self.weather().kind == 'hole' or
                                  (self.weather().kind == 'stall' and self.answered >= self.weather().amount)):
            await self.proxy.changed_weather()

    async def run(self):
        if self.weather().kind == 'reset' and self.weather().amount == 0:
            self.end(by_reset=True)
            return
        await self.flowing()
        try:
            server_reader, self.server = await asyncio.open_connection(*self.proxy.target)
        except OSError:
            self.end(by_reset=True)
            return
        await asyncio.gather(self.carry(self.reader, self.server, up=True), self.carry(server_reader, self.writer, up=False))
        self.end(by_reset=False)

    async def carry(self, reader, writer, up):
        try:
            while not self.ended and (piece := await reader.read(65536)):
                await self.flowing()
                weather = self.weather()
                if weather.kind == 'delay':
                    await asyncio.sleep((weather.amount + random.uniform(0, weather.jitter)) / 1000)
                if up:
                    self.proxy.up += len(piece)
                    writer.write(piece)
                    await writer.drain()
                elif not await self.answer(piece):
                    return
            if not self.ended and writer.can_write_eof() and not writer.is_closing():
                writer.write_eof()
        except (OSError, RuntimeError):
            # Either side went away: so does the other, in the same manner.
            self.end(by_reset=True)

    async def answer(self, piece):
        """Gives the client a piece of the answer, as the weather wants; False when nothing may follow."""
        while piece and not self.ended:
            await self.flowing()
            weather = self.weather()
            left = len(piece)
            if weather.kind == 'rate':
                step = max(1, int(weather.amount / 1000))
                await asyncio.sleep(step / weather.amount)
                left = min(left, step)
            elif weather.kind in ('cut', 'reset', 'stall'):
                left = min(left, max(0, int(weather.amount) - self.answered))
            part = bytearray(piece[:left])
            if weather.kind == 'flip' and 0 <= int(weather.amount) - self.answered < left:
                part[int(weather.amount) - self.answered] ^= 0xFF
            self.writer.write(bytes(part))
            await self.writer.drain()
            self.answered += left
            self.proxy.down += left
            piece = piece[left:]
            if weather.kind in ('cut', 'reset') and self.answered >= weather.amount:
                # The kernel sends what it has before a FIN; before a RST, the client must have taken it.
                if weather.kind == 'reset':
                    await asyncio.sleep(0.02)
                self.end(by_reset=weather.kind == 'reset')
                return False
        return not self.ended


class Proxy:
    def __init__(self, target):
        self.target = self.place(target)
        self.weather = Weather()
        self.turn = asyncio.Event()
        self.next = []
        self.connections = set()
        self.listener = None
        self.port = 0
        self.begun = time.monotonic()
        self.later = set()
        self.forget()

    @staticmethod
    def place(text):
        host, _, port = text.rpartition(':')
        return host.strip('[]'), int(port)

    def forget(self):
        self.up = self.down = 0
        self.times = []

    async def listen(self):
        if self.listener is None:
            self.listener = await asyncio.start_server(self.accept, '127.0.0.1', self.port, reuse_address=True)
            self.port = self.listener.sockets[0].getsockname()[1]

    async def accept(self, reader, writer):
        self.times.append(round(time.monotonic() - self.begun, 3))
        connection = Connection(self, reader, writer, self.next.pop(0) if self.next else None)
        self.connections.add(connection)
        try:
            await connection.run()
        finally:
            self.connections.discard(connection)

    async def changed_weather(self):
        """Until the weather is another, or a while has passed."""
        try:
            await asyncio.wait_for(self.turn.wait(), 0.2)
        except asyncio.TimeoutError:
            pass

    async def set(self, weather):
        self.weather = weather
        if weather.kind == 'refuse':
            if self.listener is not None:
                self.listener.close()
                self.listener = None
        else:
            await self.listen()
        self.turn.set()
        self.turn.clear()

    async def obey(self, words):
        if words[0] == 'stats':
            return {'connections': len(self.times), 'open': len(self.connections), 'up': self.up, 'down': self.down,
                    'times': self.times}
        if words[0] == 'forget':
            self.forget()
        elif words[0] in ('drop', 'close'):
            for connection in list(self.connections):
                connection.end(by_reset=words[0] == 'drop')
        elif words[0] == 'to':
            self.target = self.place(words[1])
        elif words[0] == 'next':
            self.next += [weather_of(words[2:]) for _ in range(int(words[1]))]
        elif words[0] == 'after':
            async def wait(seconds, command):
                await asyncio.sleep(seconds)
                await self.obey(command)
            task = asyncio.create_task(wait(float(words[1]) / 1000, words[2:]))
            self.later.add(task)
            task.add_done_callback(self.later.discard)
        else:
            await self.set(weather_of(words))
        return {'ok': True}


async def main():
    proxy = Proxy(sys.argv[1])
    await proxy.listen()
    print(json.dumps({'port': proxy.port}), flush=True)
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := await commands.readline():
        words = line.decode().split()
        try:
            answer = await proxy.obey(words) if words else {'ok': True}
        except (ValueError, IndexError, OSError) as error:
            answer = {'error': str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == '__main__':
    asyncio.run(main())
