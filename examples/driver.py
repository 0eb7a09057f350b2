#!/usr/bin/env python3
"""A driver's app in one file: connects, goes on duty, accepts the first offer, and reports its milestones.

    doorstep token --audience driver --subject 7 --key-file token.key > driver.token
    examples/driver.py 127.0.0.1:4433 certificate.der driver.token LATITUDE,LONGITUDE

Written from docs/driver-protocol.md and its driver.proto alone. The messages are few, so protobuf's wire format is written out
here instead of generated. Needs Python 3.9 and aioquic. Ends with 0 after the last drop-off of its first offer.
"""
import asyncio
import ssl
import sys
import time

from aioquic.asyncio import QuicConnectionProtocol, connect
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, StreamDataReceived

PICKUP, DROPOFF = 1, 2
AT_RESTAURANT, PICKED_UP, AT_CUSTOMER, DROPPED_OFF = 1, 2, 3, 4


# ---- protobuf: a message is fields; a field is its number and kind, and then a varint or so many bytes ----

def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_varint(data, at):
    """The number at a place and where it ends; None if the rest of it is still to come."""
    value = shift = 0
    while at < len(data):
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not data[at - 1] & 0x80:
            return value, at
    return None


def message(**fields):
    """A message whose fields are named f1, f2, …: numbers, texts, or messages made by this function."""
    out = bytearray()
    for name, value in fields.items():
        number = int(name[1:])
        if isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            content = value.encode() if isinstance(value, str) else value
            out += varint(number << 3 | 2) + varint(len(content)) + content
    return bytes(out)


def fields(data):
    """Number and value of each field, in their order; unknown ones too, which callers leave alone."""
    at = 0
    while at < len(data):
        key, at = read_varint(data, at)
        if key & 7 == 0:
            value, at = read_varint(data, at)
        elif key & 7 == 2:
            length, at = read_varint(data, at)
            value, at = data[at:at + length], at + length
        else:
            raise ValueError(f"field {key >> 3} is of a kind that the protocol does not use")
        yield key >> 3, value


def zigzag(value):
    return value << 1 if value >= 0 else (-value << 1) - 1


def un_zigzag(value):
    return value >> 1 if value & 1 == 0 else -(value + 1 >> 1)


# ---- the app ----

class Driver(QuicConnectionProtocol):
    """One session. Positions are 1e-7 degrees, times Unix milliseconds of the city's clock."""

    def start(self, token, at):
        self.at, self.seq, self.number, self.incoming = at, 0, 0, b""
        self.open_frames, self.ahead_ms, self.welcomed = {}, 0, asyncio.Event()
        self.stops, self.accepted, self.ended = [], False, asyncio.get_running_loop().create_future()
        self.stream = self._quic.get_next_available_stream_id()
        self.send(f1=message(f1=2, f2=token, f3="examples/driver.py"))

    def now_ms(self):
        return int(time.time() * 1000) + self.ahead_ms

    def send(self, **frame):
        """A frame: its length and its bytes. Numbered ones are kept until they are acknowledged."""
        frame = message(**frame)
        self._quic.send_stream_data(self.stream, varint(len(frame)) + frame)
        self.transmit()

    def send_numbered(self, **frame):
        self.number += 1
        self.open_frames[self.number] = frame
        self.send(**frame, f15=self.number)

    def place(self):
        return message(f1=zigzag(self.at[0]), f2=zigzag(self.at[1]))

    def ping(self):
        self.seq += 1
        lat, lng = map(zigzag, self.at)
        self._quic.send_datagram_frame(message(f1=self.seq, f2=self.now_ms(), f3=lat, f4=lng))
        self.transmit()

    def quic_event_received(self, event):
        if isinstance(event, ConnectionTerminated) and not self.ended.done():
            self.ended.set_exception(ConnectionError(f"closed with code {event.error_code}: {event.reason_phrase}"))
        if not isinstance(event, StreamDataReceived):
            return
        self.incoming += event.data
        while self.incoming:
            head = read_varint(self.incoming, 0)
            if head is None or len(self.incoming) < sum(head):
                return
            length, start = head
            frame, self.incoming = self.incoming[start:start + length], self.incoming[start + length:]
            for kind, body in fields(frame):
                self.take(kind, body)

    def take(self, kind, body):
        content = list(fields(body))
        first = dict(content)
        if kind == 1:  # Welcome
            self.ahead_ms = first.get(3, 0) - int(time.time() * 1000)
            cadence = dict(fields(first.get(4, b"")))
            self.ping_every = cadence.get(1, 4000) / 1000
            self.welcomed.set()
        elif kind == 2:  # Cadence
            self.ping_every = first.get(1, 4000) / 1000
        elif kind == 3:  # Offer: say that it came, and take the first
            offer = first[1]
            self.send(f3=message(f1=offer))
            print(f"offer {offer} about {sum(1 for number, _ in content if number == 8)} order(s)", flush=True)
            yes = not self.accepted
            self.send_numbered(f4=message(f1=offer, f2=1) if yes else message(f1=offer, f3=4))
            self.accepted = True
        elif kind == 5:  # Plan: replaces the last one
            self.stops = [dict(fields(stop)) for number, stop in content if number == 1]
            if self.accepted and not self.stops and not self.ended.done():
                self.ended.set_result(None)
        elif kind == 6:  # Refused
            print(f"refused: {first.get(1, b'').decode()}: {first.get(2, b'').decode()}", flush=True)
        elif kind == 7:  # Acknowledged
            self.open_frames.pop(first.get(1), None)

    async def work(self):
        """On duty until the plan is done: at each stop, arrive and act."""
        await asyncio.wait_for(self.welcomed.wait(), 10)
        self.send(f2=message(f1=1, f2=self.place()))
        print("on duty", flush=True)
        while not self.ended.done():
            self.ping()
            if self.stops and not self.open_frames:
                stop = self.stops[0]
                place = dict(fields(stop[3]))
                # A real app drives there; this one is there at once, in steps that are plausible.
                self.at = self.toward((un_zigzag(place.get(1, 0)), un_zigzag(place.get(2, 0))))
                if self.at == (un_zigzag(place.get(1, 0)), un_zigzag(place.get(2, 0))):
                    self.report(stop)
            await asyncio.wait([self.ended], timeout=min(self.ping_every, 1.0))
        await self.ended
        self.send(f2=message(f2=self.place()))

    def toward(self, goal):
        """At most some 200 m nearer to the goal."""
        far = max(abs(goal[0] - self.at[0]), abs(goal[1] - self.at[1]))
        share = min(1.0, 20_000 / far) if far else 1.0
        return tuple(round(here + share * (there - here)) for here, there in zip(self.at, goal)) if share < 1 else goal

    def report(self, stop):
        delivery = stop[1].decode()
        steps = (AT_RESTAURANT, PICKED_UP) if stop[2] == PICKUP else (AT_CUSTOMER, DROPPED_OFF)
        for step in steps:
            self.send_numbered(f5=message(f1=delivery, f2=step, f3=self.now_ms()))
        print(f"{'picked up' if stop[2] == PICKUP else 'dropped off'} {delivery}", flush=True)


async def main(server, certificate, token, place):
    host, _, port = server.rpartition(":")
    with open(certificate, "rb") as file:
        trusted = ssl.DER_cert_to_PEM_cert(file.read())
    configuration = QuicConfiguration(alpn_protocols=["doorstep-driver/1"], server_name="localhost", max_datagram_frame_size=65536)
    configuration.load_verify_locations(cadata=trusted.encode())
    with open(token, encoding="ascii") as file:
        token = file.read().strip()
    at = tuple(round(float(degrees) * 1e7) for degrees in place.split(","))
    async with connect(host, int(port), configuration=configuration, create_protocol=Driver) as driver:
        driver.start(token, at)
        await driver.work()


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    asyncio.run(main(*sys.argv[1:]))
