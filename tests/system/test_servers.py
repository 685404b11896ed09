# SPDX-License-Identifier: Apache-2.0
"""Other servers people run: busybox httpd, memcached, nginx; with their real clients."""
import os, socket, subprocess
from harness import GUEST, Machine, equal, need, test, true


@test
def busybox_httpd():
    curl, box = need("curl", "busybox")
    page = os.path.join(GUEST, "www")
    os.makedirs(page, exist_ok=True)
    data = os.urandom(300000)
    with open(os.path.join(page, "data.bin"), "wb") as f:
        f.write(data)
    with open(os.path.join(page, "index.html"), "w") as f:
        f.write("<p>godwit</p>\n")
    with Machine([box, "httpd", "-f", "-p", "80", "-h", "/www"], 80, options=["-f", f"{page}:/www"]) as m:
        for name, want in (("index.html", b"<p>godwit</p>\n"), ("data.bin", data)) * 10: # a process for each
            got = m.http(name)
            true(got == want, f"{name}: {len(got)} bytes")
        # many at once
        ps = [subprocess.Popen([curl, "-s", "--max-time", "30", f"http://127.0.0.1:{m.port}/data.bin"], stdout=subprocess.PIPE)
              for _ in range(8)]
        for p in ps:
            true(p.communicate(timeout=60)[0] == data, "one of many at once")


def _memcached(vcores):
    def check():
        with Machine([need("memcached"), "-u", "root", "-t", "2", "-m", "32"], 11211, options=["-c", str(vcores)]) as m:
            socks = [m.connect() for _ in range(8)]
            for i, s in enumerate(socks):
                value = b"v" * (100 + i)
                s.sendall(b"set k%d 0 0 %d\r\n%s\r\n" % (i, len(value), value))
                equal(s.recv(100), b"STORED\r\n", f"set on connection {i}")
            for i, s in enumerate(socks):
                f = s.makefile("rb")
                s.sendall(b"get k%d\r\n" % ((i + 3) % 8))
                true(f.readline().startswith(b"VALUE"), "get across threads")
                f.readline()
                equal(f.readline(), b"END\r\n")
            s = socks[0]
            s.sendall(b"set big 0 0 500000\r\n" + b"x" * 500000 + b"\r\n")
            equal(s.recv(100), b"STORED\r\n")
            s.sendall(b"get big\r\n")
            f = s.makefile("rb")
            f.readline()
            equal(len(f.read(500000)), 500000)
    check.__name__ = f"memcached_{vcores}"
    return check


test(_memcached(1))
test(_memcached(2))


def _nginx(master, vcores):
    def check():
        server = need("nginx")
        conf = os.path.join(GUEST, f"nginx{master}.conf")
        with open(conf, "w") as f:
            f.write(f"daemon off; master_process {master}; worker_processes 2; user root; pid /run/nginx.pid; error_log stderr;\n"
                    "events { worker_connections 512; }\n"
                    "http { access_log off; server { listen 80; root /www; } }\n")
        page = os.path.join(GUEST, "www")
        os.makedirs(page, exist_ok=True)
        with open(os.path.join(page, "page.html"), "w") as f:
            f.write("x" * 612)
        with Machine([server, "-c", "/etc/nginx/nginx.conf"], 80,
                     options=["-c", str(vcores), "-f", f"{conf}:/etc/nginx/nginx.conf", "-f", f"{page}:/www", "-f", "/var/lib/nginx",
                              "-f", "/var/log/nginx"]) as m:
            for _ in range(10):
                equal(m.http("page.html"), b"x" * 612)
    check.__name__ = f"nginx_{'workers' if master == 'on' else 'alone'}_{vcores}"
    return check


test(_nginx("off", 1))
test(_nginx("on", 1))
test(_nginx("on", 2))
