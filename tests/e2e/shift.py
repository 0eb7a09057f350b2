#!/usr/bin/env python3
"""A driver's shift that nothing goes well in: the first offer is declined, the phone changes its network with the food in the bag,
and the server is killed and starts again. Stands on examples/driver.py, which was written from docs/driver-protocol.md alone.

    shift.py 127.0.0.1:4433 certificate.der driver.token LATITUDE,LONGITUDE

Says each step on a line of its own, and ends with 0 when the order is at the door and the server has said so.
"""
import asyncio
import pathlib
import ssl
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "examples"))

from aioquic.asyncio import connect  # noqa: E402
from aioquic.quic.configuration import QuicConfiguration  # noqa: E402
from driver import PICKUP, Driver, fields, message, un_zigzag  # noqa: E402


class Shift:
    """What the phone remembers when its connection is gone."""

    def __init__(self, at):
        self.at, self.answers, self.sessions, self.has_food, self.is_over = at, {}, 0, False, False


class ShiftDriver(Driver):
    """One session of a shift."""

    def resume(self, shift, token):
        self.shift = shift
        shift.sessions += 1
        self.start(token, shift.at)

    def take(self, kind, body):
        content = list(fields(body))
        first = dict(content)
        if kind == 3:  # Offer: no to the first, yes to the next; the same answer when the same offer comes again
            offer = first[1]
            self.send(f3=message(f1=offer))
            answers = self.shift.answers
            yes = answers.setdefault(offer, len(answers) > 0)
            print(f"{'accept' if yes else 'decline'} {offer}", flush=True)
            self.send_numbered(f4=message(f1=offer, f2=1) if yes else message(f1=offer, f3=4))
        elif kind == 5:  # Plan
            self.stops = [dict(fields(stop)) for number, stop in content if number == 1]
            if self.shift.has_food and not self.stops:
                self.shift.is_over = True
        else:
            super().take(kind, body)

    async def change_network(self):
        """Another socket, and so another port, for the same connection."""
        before = self._transport
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, local_addr=("::", 0))
        before.abort()
        print("network changed", flush=True)

    def connection_lost(self, error):
        """The old socket: the connection lives on with the new one."""

    async def work(self):
        shift = self.shift
        await asyncio.wait_for(self.welcomed.wait(), 10)
        self.send(f2=message(f1=1, f2=self.place()))
        print(f"on duty, session {shift.sessions}", flush=True)
        while not shift.is_over and not self.ended.done():
            self.ping()
            if self.stops and not self.open_frames:
                await self.go_on(self.stops[0])
            await asyncio.wait([self.ended], timeout=0.2)
        if shift.is_over and not self.ended.done():
            return
        await self.ended

    async def go_on(self, stop):
        shift = self.shift
        if stop[2] != PICKUP and shift.sessions < 2:
            return  # The food stays in the bag until the server has started again.
        place = dict(fields(stop[3]))
        goal = (un_zigzag(place.get(1, 0)), un_zigzag(place.get(2, 0)))
        self.at = shift.at = self.toward(goal)
        if self.at != goal:
            return
        self.report(stop)
        if stop[2] == PICKUP:
            shift.has_food = True
            await self.change_network()
            while self.open_frames and not self.ended.done():
                self.ping()
                await asyncio.wait([self.ended], timeout=0.1)
            print("acknowledged over the new network", flush=True)


async def main(server, certificate, token, place):
    host, _, port = server.rpartition(":")
    with open(certificate, "rb") as file:
        trusted = ssl.DER_cert_to_PEM_cert(file.read())
    with open(token, encoding="ascii") as file:
        token = file.read().strip()
    shift = Shift(tuple(round(float(degrees) * 1e7) for degrees in place.split(",")))
    pause = 0.2
    while not shift.is_over:
        configuration = QuicConfiguration(alpn_protocols=["doorstep-driver/1"], server_name="localhost",
                                          max_datagram_frame_size=65536, idle_timeout=7.0)
        configuration.load_verify_locations(cadata=trusted.encode())
        try:
            async with connect(host, int(port), configuration=configuration, create_protocol=ShiftDriver) as driver:
                driver.resume(shift, token)
                await driver.work()
                pause = 0.2
        except (ConnectionError, asyncio.TimeoutError) as error:
            print(f"connection lost: {error}", flush=True)
            await asyncio.sleep(pause)
            pause = min(20.0, 2 * pause)
    print("the shift is over", flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    asyncio.run(main(*sys.argv[1:]))
