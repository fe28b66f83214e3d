"""The table, on the screen and in docs/benchmarks.md."""

import datetime
import os
import platform
import subprocess

PLACE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "docs", "benchmarks.md")
HEAD = ("what", "ours", "peer", "ratio", "limit", "ok")


class Report:
    def __init__(self):
        self.rows, self.failed = [], False

    def _add(self, what, ours, peer, ratio, limit, good):
        """`good` is None where ours was not measured."""
        self.failed |= good is False
        row = (what, ours, peer, ratio, limit, {True: "yes", False: "NO", None: "-"}[good])
        self.rows.append(row)
        print("  " + "  ".join(row), flush=True)

    def faster(self, what, ours, peer, times):
        """Ours has to be at least `times` faster than the peer."""
        ratio = peer.median / ours.median if ours else None
        self._add(what, spell(ours.median) if ours else "-", f"{peer.name} {spell(peer.median)}",
                  f"{ratio:.1f} x faster" if ours else "-", f"{times} x faster", ratio >= times if ours else None)

    def within(self, what, ours, peer, times):
        """Ours may take at most `times` what the peer takes."""
        ratio = ours.median / peer.median if ours else None
        self._add(what, spell(ours.median) if ours else "-", f"{peer.name} {spell(peer.median)}",
                  f"{ratio:.2f} x the time" if ours else "-", f"{times} x the time", ratio <= times if ours else None)

    def under(self, what, value, limit, spelled, peer=""):
        """A value of ours has to stay under a limit."""
        self._add(what, spelled(value) if value is not None else "-", peer, "", "< " + spelled(limit),
                  value < limit if value is not None else None)

    def exactly(self, what, value, expected):
        """Every member of `value` has to be among those expected."""
        self._add(what, " ".join(sorted(value)), "", "", "nothing else", set(value) <= set(expected))

    def markdown(self, image):
        lines = ["# Benchmarks", "", "Written by `make bench`: medians of interleaved runs by wall clock.", ""]
        lines += [f"- {line}" for line in machine()]
        lines += [f"- image: {image['layers']} layers, {image['bytes'] / 1e6:.0f} MB in {image['files']} files, "
                  f"{image['compressed'] / 1e6:.0f} MB as gzip", ""]
        lines += ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        return "\n".join(lines) + "\n"

    def table(self):
        widths = [max(len(row[column]) for row in [HEAD, *self.rows]) for column in range(len(HEAD))]
        return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
                         for row in [HEAD, *self.rows])


def spell(seconds):
    if seconds < 1:
        return f"{seconds * 1000:.1f} ms"
    return f"{seconds:.2f} s"


def spell_size(kib):
    return f"{kib / 1024:.1f} MiB"


def machine():
    """The machine and the day, one fact a line."""
    with open("/proc/cpuinfo") as file:
        models = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    with open("/proc/meminfo") as file:
        memory = int(file.readline().split()[1]) / 1024 / 1024
    with open("/etc/os-release") as file:
        system = [line.split("=")[1].strip().strip('"') for line in file if line.startswith("PRETTY_NAME")][0]
    here = os.path.dirname(os.path.abspath(__file__))
    disk = subprocess.run(["stat", "-f", "-c", "%T", here], capture_output=True, text=True).stdout.strip()
    yield f"date: {datetime.date.today().isoformat()}"
    yield f"machine: {models[0] if models else platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB"
    yield f"system: {system}, Linux {platform.release()}, {disk}"
    for program in (["bwrap", "--version"], ["umoci", "--version"], ["skopeo", "--version"]):
        yield "peer: " + subprocess.run(program, capture_output=True, text=True).stdout.splitlines()[0]
