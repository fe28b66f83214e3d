"""The programs that ours is measured against, and the registry that serves all of them."""

import contextlib
import os
import shutil
import socket
import subprocess
import time

from measure import WORK

PYTHON_VERSION = "3.2.0"
REFERENCE = "bench/debian:latest"


def python_program():
    """The Python chroot-distro from PyPI, in a virtual environment of its own."""
    home = os.path.join(WORK, "python")
    program = os.path.join(home, "bin", "chroot-distro")
    if not os.path.exists(program):
        subprocess.run(["python3", "-m", "venv", home], check=True)
        subprocess.run([os.path.join(home, "bin", "pip"), "install", "--quiet",
                        f"chroot-distro=={PYTHON_VERSION}"], check=True)
    return program


def empty_c_program():
    """A C program that does nothing: what starting any program costs here."""
    source, program = os.path.join(WORK, "nothing.c"), os.path.join(WORK, "nothing")
    if not os.path.exists(program):
        with open(source, "w") as file:
            file.write("int main(void) { return 0; }\n")
        subprocess.run(["cc", "-O2", "-s", "-o", program, source], check=True)
    return program


@contextlib.contextmanager
def registry(layout):
    """Debian's docker-registry on a free loopback port, with the image of `layout` in it; its address."""
    home = os.path.join(WORK, "registry")
    os.makedirs(home, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = os.path.join(home, "config.yml")
    with open(settings, "w") as file:
        file.write(f"version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {home}/data\n"
                   f"http:\n  addr: 127.0.0.1:{port}\n")
    with open(os.path.join(home, "log"), "w") as log:
        process = subprocess.Popen(["docker-registry", "serve", settings], stdout=log, stderr=log)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        address = f"localhost:{port}"
        subprocess.run(["skopeo", "copy", "--quiet", "--dest-tls-verify=false", f"oci:{layout}:latest",
                        f"docker://{address}/{REFERENCE}"], check=True)
        yield address
    finally:
        process.terminate()
        process.wait()


def forget_pushed():
    """Empties the registry that `registry` started."""
    shutil.rmtree(os.path.join(WORK, "registry", "data"), ignore_errors=True)


def archive_of(layout, name):
    """The layout as one OCI archive."""
    path = os.path.join(WORK, f"{name}.oci.tar")
    if not os.path.exists(path) or os.path.getmtime(path) < os.path.getmtime(os.path.join(layout, "index.json")):
        subprocess.run(["tar", "-C", layout, "-cf", path, "oci-layout", "index.json", "blobs"], check=True)
    return path


def bwrap_login(root):
    """bwrap with the mounts of a login: /dev of its own with pts and shm, proc, sys read-only, run, the host's tmp."""
    return ["bwrap", "--bind", root, "/", "--dev", "/dev", "--proc", "/proc", "--ro-bind", "/sys", "/sys",
            "--tmpfs", "/run", "--bind", "/tmp", "/tmp", "true"]


def bwrap_isolated(root):
    """bwrap with the mounts of an isolated login, in every namespace but that of the network."""
    return ["bwrap", "--unshare-all", "--share-net", "--bind", root, "/", "--dev", "/dev", "--proc", "/proc",
            "--ro-bind", "/sys", "/sys", "--tmpfs", "/run", "--mqueue", "/dev/mqueue", "true"]
