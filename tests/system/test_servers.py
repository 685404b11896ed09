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
    # httpd -f -p forks for each client; with -i it serves one from standard input: see docs/linux.md on fork
    with Machine([box, "httpd", "-f", "-p", "80", "-h", "/www"], 80, options=["-f", f"{page}:/www"]) as m:
        m.connect().close()
        for name, want in (("index.html", b"<p>godwit</p>\n"), ("data.bin", data)):
            p = subprocess.run([curl, "-s", "--max-time", "20", f"http://127.0.0.1:{m.port}/{name}"], capture_output=True, timeout=60)
            true(p.stdout == want, f"{name}: {len(p.stdout)} bytes, curl status {p.returncode}")


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


@test
def nginx():
    curl, server = need("curl", "nginx")
    conf = os.path.join(GUEST, "nginx.conf")
    with open(conf, "w") as f:
        f.write("daemon off; master_process off; worker_processes 1; pid /run/nginx.pid; error_log stderr;\n"
                "events { worker_connections 512; }\n"
                "http { access_log off; server { listen 80; root /www; } }\n")
    page = os.path.join(GUEST, "www")
    os.makedirs(page, exist_ok=True)
    with open(os.path.join(page, "index.html"), "w") as f:
        f.write("x" * 612)
    with Machine([server, "-c", "/etc/nginx/nginx.conf"], 80,
                 options=["-f", f"{conf}:/etc/nginx/nginx.conf", "-f", f"{page}:/www", "-f", "/var/lib/nginx", "-f", "/var/log/nginx"]) as m:
        m.connect().close()
        for _ in range(5):
            p = subprocess.run([curl, "-s", "--max-time", "20", f"http://127.0.0.1:{m.port}/"], capture_output=True, timeout=60)
            equal(p.stdout, b"x" * 612)
