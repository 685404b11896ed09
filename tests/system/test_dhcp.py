# SPDX-License-Identifier: Apache-2.0
"""DHCP on a tap: a server of a page that also sends what no server should, refuses once, and refuses a renewal."""
import socket, struct, threading, time
from frames import ALL, UDP, Frames, checksum, ip
from harness import equal, need, test, true
from netlab import Namespace, TapMachine

DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK = 1, 2, 3, 4, 5, 6
SERVER, FIRST, SECOND = ip("10.9.0.1"), ip("10.9.0.50"), ip("10.9.0.51")


def option(code, data):
    return bytes([code, len(data)]) + data


def word(n):
    return struct.pack("!I", n)


class Message:
    def __init__(self, data):
        self.op, self.xid, self.ciaddr, self.mac = data[0], data[4:8], struct.unpack("!I", data[12:16])[0], data[28:34]
        equal(data[236:240], b"\x63\x82\x53\x63", "magic cookie")
        self.options, at = {}, 240
        while at < len(data) and data[at] != 255:
            if data[at] == 0:
                at += 1
                continue
            self.options[data[at]] = data[at + 2:at + 2 + data[at + 1]]
            at += 2 + data[at + 1]
        self.type = self.options[53][0]


class Server(threading.Thread):
    """plan: the answers to the requests, in turn: ACK or NAK; the last goes on. renew_s: option 58."""

    def __init__(self, ns, name, renew_s=0):
        super().__init__(daemon=True)
        with ns.inside():
            self.s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            self.s.bind((name, 3))
        self.s.settimeout(0.2)
        self.mac = self.s.getsockname()[4]
        self.plan, self.log, self.lend, self.renew_s = [NAK, ACK], [], FIRST, renew_s
        self.over, self.error, self.echoes, self.its_mac = False, None, set(), None

    def answer(self, m, kind, yiaddr=None, xid=None, mac=None, cookie=b"\x63\x82\x53\x63", op=2, htype=(1, 6), options=None, file=b"", cut=None):
        yiaddr = (0 if kind == NAK else self.lend) if yiaddr is None else yiaddr
        if options is None:
            options = option(53, bytes([kind])) + option(54, word(SERVER))
            if kind != NAK:
                options += option(51, word(600)) + option(1, word(0xffffff00)) + option(3, word(SERVER)) + option(6, word(SERVER) + word(SERVER + 1))
                if self.renew_s:
                    options += option(58, word(self.renew_s)) + option(59, word(self.renew_s * 4))
        b = bytes([op, *htype, 0]) + (xid or m.xid) + b"\0" * 8 + word(yiaddr) + word(SERVER) + b"\0" * 4 + (mac or m.mac).ljust(16, b"\0")
        b = (b.ljust(108, b"\0") + file.ljust(128, b"\0") + cookie + options + b"\xff")[:cut]
        self.s.send(Frames(self.mac, m.mac, SERVER, 0xffffffff).udp(67, 68, b, dst=None))

    def wrong(self, m, kind):
        good = option(53, bytes([kind])) + option(54, word(SERVER)) + option(51, word(600)) + option(1, word(0xffffff00))
        bad = SECOND + 100
        for how in (dict(xid=b"\1\2\3\4"), dict(mac=b"\2\2\2\2\2\2"), dict(cookie=b"\0\0\0\0"), dict(op=1), dict(htype=(7, 6)), dict(htype=(1, 16)),
                    dict(cut=100), dict(cut=239), dict(cut=243), dict(yiaddr=0), dict(yiaddr=0xffffffff), dict(yiaddr=ip("127.0.0.1")),
                    dict(yiaddr=ip("224.0.0.5")), dict(options=b""), dict(options=good + b"\x06"), dict(options=good + b"\x06\xff\1\2"),
                    dict(options=good + b"\x03\0"), dict(options=good + option(1, word(0xff00ff00))), dict(options=good + option(1, b"\xff")),
                    dict(options=good + option(51, word(0))), dict(options=good + option(53, b"\x09")), dict(options=good + option(53, b"\2\2")),
                    dict(options=good + option(52, b"\1"), file=b"\x06\xff\1"), dict(options=b"\xff" + good), dict(options=option(53, b"\x07") + good[3:])):
            self.answer(m, kind, **{"yiaddr": bad, **how})

    def run(self):
        try:
            while not self.over:
                try:
                    d, where = self.s.recvfrom(2048)
                except TimeoutError:
                    continue
                if where[2] == socket.PACKET_OUTGOING or d[12:14] != b"\x08\0":
                    continue
                if d[23] == 1 and d[34] == 0:
                    self.echoes.add(struct.unpack("!I", d[26:30])[0])
                if d[23] == UDP and d[36:38] == b"\0\x43":
                    self.take(d)
        except Exception as e:
            self.error = e

    def take(self, d):
        m = Message(d[42:])
        equal((checksum(d[14:34]), m.op, m.mac), (0, 1, d[6:12]), "the client's header")
        src, dst = struct.unpack("!II", d[26:34])
        self.its_mac = m.mac
        self.log.append((m.type, src, dst, m.ciaddr, m.options.get(50), time.monotonic()))
        if m.type == DISCOVER:
            equal((src, dst, m.ciaddr), (0, 0xffffffff, 0), "a discover")
            self.wrong(m, OFFER)
            self.answer(m, OFFER)
        elif m.type == REQUEST:
            if not m.ciaddr:
                equal((src, m.options[50], m.options[54]), (0, word(self.lend), word(SERVER)), "a request")
            kind = self.plan.pop(0) if len(self.plan) > 1 else self.plan[0]
            self.wrong(m, kind)
            self.answer(m, kind)

    def await_echo(self, addr, what):
        end = time.monotonic() + 15
        while addr not in self.echoes:
            if self.error:
                raise self.error
            true(time.monotonic() < end, f"{what}: no echo from it; messages {self.log}")
            if self.its_mac:
                self.s.send(Frames(self.mac, self.its_mac, SERVER, addr).icmp(8, rest=b"\0\1\0\1hello"))
            time.sleep(0.1)


@test
def dhcp_on_tap():
    box = need("busybox")
    with Namespace() as ns:
        ns.tap("t0", "10.9.0.1/24")
        server = Server(ns, "t0", renew_s=3)
        server.start()
        try:
            with TapMachine(ns, "t0", "dhcp", [box, "sleep", "60"]) as m:
                server.await_echo(FIRST, "a lease")
                equal([e[0] for e in server.log], [DISCOVER, REQUEST, DISCOVER, REQUEST], "discover, refused, again, granted")
                again = server.log[2][5] - server.log[1][5]
                true(0.5 < again < 5, f"the next discover after {again:.1f} s: neither a storm nor asleep")
                # renewal, by unicast and from its own address; granted
                while len(server.log) < 5:
                    true(time.monotonic() - server.log[3][5] < 10, "a renewal")
                    time.sleep(0.1)
                equal(server.log[4][:4], (REQUEST, FIRST, SERVER, FIRST), "the renewal")
                server.echoes.clear()
                server.await_echo(FIRST, "after the renewal")
                # the next one is refused: the address goes, another is lent
                server.lend, server.plan = SECOND, [NAK, ACK]
                server.await_echo(SECOND, "another address after a refused renewal")
                server.echoes.clear()
                server.s.send(Frames(server.mac, server.its_mac, SERVER, FIRST).icmp(8, rest=b"\0\1\0\1hello"))
                time.sleep(0.3)
                true(FIRST not in server.echoes, "the first address is no longer answered for")
                true(m.p.poll() is None, "the machine runs")
        finally:
            server.over = True
            server.join(5)
            server.s.close()
        if server.error:
            raise server.error
