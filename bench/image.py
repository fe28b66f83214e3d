"""The images that are measured: a Debian system of five layers, and a small one for the quick mode.

Both are made of the distribution's own packages and kept under CACHE as OCI layouts, so that only the first run
pays for them. A file named `complete` says that a layout is whole.
"""

import hashlib
import json
import os
import shutil
import subprocess
import tarfile

CACHE = "/var/cache/chroot-distro-bench"
SUITE = "bookworm"

# About 1 GB in 15,600 files, 436 MB as gzip: one layer for each line, the base system below them.
LAYERS = [
    ["build-essential"],
    ["python3", "fonts-noto-cjk", "fonts-arphic-ukai"],
    ["clang-14"],
    ["llvm-14", "gdb", "fonts-arphic-uming"],
]


def run(*command, **options):
    subprocess.run(command, check=True, **options)


def directory_of(name):
    return os.path.join(CACHE, name)


def ensure(name, build):
    """The path of the OCI layout called `name`, which `build(path)` makes when there is none."""
    path = directory_of(name)
    if not os.path.exists(os.path.join(path, "complete")):
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
        print(f"making the image {name} in {path}; this is done once", flush=True)
        build(path)
        open(os.path.join(path, "complete"), "w").close()
    return os.path.join(path, "oci")


def install_packages(root, packages):
    """Installs packages inside `root`, in a mount namespace that ends with the command."""
    script = """
        set -e
        mount -t proc proc "$1/proc"
        mount --rbind /dev "$1/dev"
        cp /etc/resolv.conf "$1/etc/resolv.conf"
        printf '#!/bin/sh\\nexit 101\\n' > "$1/usr/sbin/policy-rc.d"
        chmod 755 "$1/usr/sbin/policy-rc.d"
        root=$1
        shift
        export DEBIAN_FRONTEND=noninteractive LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
        chroot "$root" apt-get -q -q update
        chroot "$root" apt-get -q -y install --no-install-recommends "$@"
        chroot "$root" apt-get clean
        rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin "$root/etc/resolv.conf" \\
            "$root/usr/sbin/policy-rc.d" "$root"/var/log/apt/* "$root"/var/log/dpkg.log
    """
    run("unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", root, *packages,
        stdout=subprocess.DEVNULL)


def build_debian(path):
    layout, bundle = os.path.join(path, "oci"), os.path.join(path, "bundle")
    image, root = layout + ":latest", os.path.join(bundle, "rootfs")
    run("umoci", "init", "--layout", layout)
    run("umoci", "new", "--image", image)
    run("umoci", "unpack", "--image", image, bundle)
    os.rmdir(root)
    run("mmdebstrap", "--quiet", "--variant=minbase", "--mode=root", "--format=directory", SUITE, root)
    run("umoci", "repack", "--refresh-bundle", "--image", image, bundle)
    for packages in LAYERS:
        install_packages(root, packages)
        run("umoci", "repack", "--refresh-bundle", "--image", image, bundle)
    run("umoci", "config", "--image", image, "--config.cmd", "bash", "--config.env", "LANG=C.UTF-8",
        "--no-history")
    run("umoci", "gc", "--layout", layout)
    shutil.rmtree(bundle)


def build_small(path):
    """Busybox and a thousand small files in two layers."""
    layout, bundle = os.path.join(path, "oci"), os.path.join(path, "bundle")
    image, root = layout + ":latest", os.path.join(bundle, "rootfs")
    run("umoci", "init", "--layout", layout)
    run("umoci", "new", "--image", image)
    run("umoci", "unpack", "--image", image, bundle)
    for name in ("bin", "etc", "root", "tmp", "dev", "proc", "sys", "run", "usr/share/data"):
        os.makedirs(os.path.join(root, name))
    shutil.copy("/bin/busybox", os.path.join(root, "bin/busybox"))
    for applet in subprocess.check_output(["/bin/busybox", "--list"], text=True).split():
        if applet != "busybox":
            os.symlink("busybox", os.path.join(root, "bin", applet))
    with open(os.path.join(root, "etc/passwd"), "w") as file:
        file.write("root:x:0:0:root:/root:/bin/sh\n")
    with open(os.path.join(root, "etc/group"), "w") as file:
        file.write("root:x:0:\n")
    run("umoci", "repack", "--refresh-bundle", "--image", image, bundle)
    for number in range(1000):
        with open(os.path.join(root, f"usr/share/data/{number:04}"), "w") as file:
            file.write(hashlib.sha256(str(number).encode()).hexdigest() * 16)
    run("umoci", "repack", "--image", image, bundle)
    run("umoci", "config", "--image", image, "--config.cmd", "/bin/sh", "--no-history")
    run("umoci", "gc", "--layout", layout)
    shutil.rmtree(bundle)


def describe(layout):
    """Compressed bytes, layers, files and uncompressed bytes of the image in a layout."""
    def blob(descriptor):
        return os.path.join(layout, "blobs", *descriptor["digest"].split(":"))

    with open(os.path.join(layout, "index.json")) as file:
        manifest = json.load(open(blob(json.load(file)["manifests"][0])))
    sizes = [layer["size"] for layer in manifest["layers"]]
    names, total = set(), 0
    for layer in manifest["layers"]:
        with tarfile.open(blob(layer), "r:gz") as archive:
            for member in archive:
                names.add(member.name)
                total += member.size
    return {"layers": len(sizes), "compressed": sum(sizes), "files": len(names), "bytes": total}


if __name__ == "__main__":
    for name, build in (("small", build_small), ("debian", build_debian)):
        print(name, describe(ensure(name, build)))
