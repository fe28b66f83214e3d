"""Timing by wall clock, interleaved, so that whatever else the machine does falls on everybody alike."""

import os
import shutil
import statistics
import subprocess
import time

WORK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "work")


class Contender:
    """Something that is timed: a list of commands, run one after the other, each of which has to succeed."""

    def __init__(self, name, *commands, environment=None, before=None):
        self.name, self.commands, self.before = name, commands, before
        self.environment = {"PATH": os.environ["PATH"], "HOME": "/root", "LC_ALL": "C.UTF-8", "TERM": "dumb"}
        self.environment.update(environment or {})
        self.seconds, self.peak_kib = [], 0

    def run(self):
        """One measured run; `before` is not part of it."""
        if self.before:
            self.before()
        start = time.perf_counter()
        for command in self.commands:
            spawn(command, self.environment)
        self.seconds.append(time.perf_counter() - start)

    @property
    def median(self):
        return statistics.median(self.seconds)


def spawn(command, environment):
    """Runs a command with nothing on its standard descriptors, by the cheapest way that Python has."""
    program = command[0] if "/" in command[0] else shutil.which(command[0])
    actions = [(os.POSIX_SPAWN_OPEN, number, "/dev/null", os.O_RDWR, 0) for number in (0, 1)]
    actions.append((os.POSIX_SPAWN_OPEN, 2, os.path.join(WORK, "stderr"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    pid = os.posix_spawn(program, command, environment, file_actions=actions)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status != 0:
        with open(os.path.join(WORK, "stderr"), errors="replace") as file:
            raise SystemExit(f"{' '.join(command)}: status {status}\n{file.read()}")


def interleaved(contenders, rounds, warm=1):
    """Runs everybody in turn, `warm` rounds that do not count and `rounds` that do."""
    for number in range(warm + rounds):
        for contender in contenders:
            contender.run()
            if number < warm:
                contender.seconds.clear()


def peak_kib(command, environment):
    """The largest resident set of a command and of those it waited for, by time(1)."""
    output = os.path.join(WORK, "peak")
    subprocess.run(["/usr/bin/time", "-f", "%M", "-o", output, *command], env=environment, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(output) as file:
        return int(file.read().split()[-1])


def proportional_kib(pid):
    """A process's share of the memory that it uses."""
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))


def remove(path):
    """Removes a directory, unless something is mounted in it: a peer that failed may have left the host's there."""
    path = os.path.realpath(path)
    with open("/proc/self/mountinfo") as file:
        mounted = [line.split()[4] for line in file]
    left = [target for target in mounted if (target + "/").startswith(path + "/")]
    if left:
        raise SystemExit(f"{path} is not removed: {' '.join(left)} is mounted in it")
    subprocess.run(["rm", "-rf", "--one-file-system", path], check=True)


def empty(path):
    """Removes a directory with all that is in it, makes it anew and lets the disk settle."""
    remove(path)
    os.makedirs(path)
    os.sync()
