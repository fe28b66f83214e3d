"""Memory that the machine really has, for as long as something is measured.

A virtual machine may give free pages back to its host and then has to ask for each of them again when a file is
written: up to two seconds for a gigabyte, which would be most of what is measured, and the same for everybody.
"""

import contextlib
import mmap

REPORTING = "/sys/module/page_reporting/parameters/page_reporting_order"
# No block of pages is of this order, so none is reported as free.
NEVER = "11"


def available():
    with open("/proc/meminfo") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable"))


@contextlib.contextmanager
def kept():
    """Keeps free pages from the host and touches most of them once."""
    try:
        with open(REPORTING) as file:
            before = file.read()
        with open(REPORTING, "w") as file:
            file.write(NEVER)
    except OSError:
        before = None
    block = bytes(1 << 20)
    with mmap.mmap(-1, available() // 10 * 7) as area:
        for offset in range(0, len(area) - len(block), len(block)):
            area[offset:offset + len(block)] = block
    try:
        yield
    finally:
        if before:
            with open(REPORTING, "w") as file:
                file.write(before)
