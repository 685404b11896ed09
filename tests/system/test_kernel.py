# SPDX-License-Identifier: Apache-2.0
"""The kernel's page tables as QEMU's monitor walks them: nothing is both writable and executable, and the interrupt table is
not writable by anybody, under any of its addresses."""
import os, re, socket, subprocess, tempfile, time
from harness import GODWIT, GUEST, ROOT, equal, test, true

BAD = os.path.join(GUEST, "bad")
KERNEL = 1 << 63


class Monitor:
    def __init__(self, path):
        end = time.monotonic() + 20
        self.s = socket.socket(socket.AF_UNIX)
        while True:
            try:
                self.s.connect(path)
                break
            except OSError:
                true(time.monotonic() < end, "QEMU's monitor does not answer")
                time.sleep(0.05)
        self.s.settimeout(20)
        self.answer()

    def answer(self):
        data = b""
        while not data.endswith(b"(qemu) "):
            data += self.s.recv(1 << 20)
        return data.decode(errors="replace")

    def __call__(self, command):
        self.s.sendall(command.encode() + b"\n")
        return self.answer()


def pages(monitor):
    """[(virtual, physical, flags)]: 'info tlb' prints X for no execution, W for writable, U for user."""
    found = re.findall(r"([0-9a-f]{16}): ([0-9a-f]{16}) ([-A-Z]{9})", monitor("info tlb"))
    return [(int(va, 16), int(pa, 16), flags) for va, pa, flags in found]


def _sealed(kind):
    def check():
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, "monitor")
            p = subprocess.Popen([GODWIT, "run", "--accel", "tcg", "--machine", kind, "--qemu-args", f"-monitor unix:{path},server,nowait", "--",
                                  BAD, "sleep", "60"], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            try:
                equal(p.stdout.readline(), b"sleeping\n")
                monitor = Monitor(path)
                monitor("stop")
                all_pages = pages(monitor)
                registers = monitor("info registers")
            finally:
                p.kill()
                p.communicate()
        kernel = [x for x in all_pages if x[0] >= KERNEL]
        true(len(kernel) > 30 and len(all_pages) > len(kernel) + 30, f"{len(kernel)} of {len(all_pages)} pages are the kernel's")
        true(any("X" not in f for _, _, f in kernel), "the kernel has code")
        for va, _, flags in all_pages:
            true("X" in flags or "W" not in flags, f"{va:#x} is writable and executable: {flags}")
        for va, _, flags in kernel:
            true("U" not in flags, f"{va:#x} of the kernel is open to programs: {flags}")
        idt = int(re.search(r"IDT=\s+([0-9a-f]{16})", registers)[1], 16)
        frames = [pa for va, pa, _ in kernel if va == idt & ~0xfff]
        equal(len(frames), 1, "the interrupt table is mapped")
        for va, pa, flags in all_pages:
            true(pa != frames[0] or "W" not in flags, f"the interrupt table is writable at {va:#x}: {flags}")
    check.__name__ = f"kernel_pages_sealed_{kind}"
    return check


test(_sealed("q35"))
test(_sealed("microvm"))
