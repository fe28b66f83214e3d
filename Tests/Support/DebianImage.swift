import Libc
import Platform

/// Real systems in OCI layouts, tagged `latest`, that are made once for this machine.
///
/// Making the first takes a minute and needs the distribution's mirror.
package enum DebianImage {
    /// The programs that make them.
    package static let programs = ["mmdebstrap", "umoci", "buildah", "setcap", "setfattr"]

    /// Whether the first is here from an earlier run, or the distribution's mirror answers.
    package static let isPossible: Bool = {
        if let layout = try? place("base", bootstrap, ""), access(layout.rawValue, F_OK) == 0 { return true }
        let ask = """
            uri=$(apt-get --print-uris update | sed -n "s/^'\\([^']*InRelease\\)'.*/\\1/p" | head -1)
            work=$(mktemp -d -p /var/tmp)
            trap 'rm -rf "$work"' EXIT
            /usr/lib/apt/apt-helper -o Acquire::Retries=0 -o Acquire::http::Timeout=10 \\
                -o Acquire::https::Timeout=10 download-file "$uri" "$work/InRelease"
            """
        return (try? Run.program("sh", ["-c", ask], timeout: 60))?.status == .success
    }()

    /// The distribution of this host, as `mmdebstrap` makes it: one layer of 120 megabytes.
    package static func base() throws -> HostPath { try made("base", by: bootstrap) }

    /// The same with two layers by `buildah` and one by GNU tar above it, which have what layers can have.
    package static func layered() throws -> HostPath {
        try made("layered", by: layers, from: try base().rawValue)
    }

    private static let cache: HostPath = "/var/cache/chroot-distro-tests"

    /// Where the layout that `script` makes is kept.
    private static func place(_ name: String, _ script: String, _ source: String) throws -> HostPath {
        let version = try TestImage.digest(of: Array((script + source).utf8)).prefix(12)
        return cache / "\(name)-\(version)"
    }

    /// The layout that `script` makes as `$1/oci`; a script that was changed makes it anew.
    private static func made(_ name: String, by script: String, from source: String = "") throws -> HostPath {
        let layout = try place(name, script, source)
        try Run.succeeding("mkdir", ["-p", cache.rawValue])
        let lock = try FileDescriptor.open(cache / "\(name).lock", O_RDWR | O_CREAT, mode: 0o600)
        try syscall("flock") { flock(lock.rawValue, LOCK_EX) }
        if access(layout.rawValue, F_OK) == 0 { return layout }
        let work = try Run.succeeding("mktemp", ["-d", "-p", cache.rawValue, "making.XXXXXX"]).dropLast()
        defer { _ = try? Run.succeeding("rm", ["-rf", String(work)]) }
        try Run.shell(script, String(work), source)
        try Run.shell(
            "rm -rf \"$1/$2\"-*; mv \"$3/oci\" \"$4\"", cache.rawValue, name, String(work), layout.rawValue)
        return layout
    }

    private static let bootstrap = """
        umoci init --layout "$1/oci"
        umoci new --image "$1/oci:latest"
        umoci unpack --image "$1/oci:latest" "$1/bundle"
        rmdir "$1/bundle/rootfs"
        . /etc/os-release
        mmdebstrap --quiet --variant=apt --mode=root --format=directory \\
            --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \\
            --dpkgopt='path-exclude=/usr/share/man/*' "$VERSION_CODENAME" "$1/bundle/rootfs"
        umoci repack --image "$1/oci:latest" "$1/bundle"
        umoci config --image "$1/oci:latest" --config.cmd bash --no-history
        umoci gc --layout "$1/oci"
        """

    private static let layers = """
        work=$1
        run_buildah() { buildah --root "$work/storage" --runroot "$work/run" --storage-driver overlay "$@"; }
        container=$(run_buildah from "oci:$2:latest")
        root=$(run_buildah mount "$container")
        mkdir -p "$root/srv/one/deep/er" "$root/srv/two" "$root/srv/gone"
        for name in one/file one/deep/er/below two/old gone/file; do echo "$name" >"$root/srv/$name"; done
        ln "$root/srv/one/file" "$root/srv/two/linked"
        ln -s /no/where "$root/srv/dangling"
        install -m 4755 -o 12 -g 34 "$root/bin/true" "$root/srv/setuid"
        setcap cap_net_raw+ep "$root/bin/sleep"
        setfattr -n user.note -v kept "$root/srv/one/file"
        mknod -m 640 "$root/srv/null" c 1 3
        mknod "$root/srv/loop" b 7 200
        mkfifo -m 622 "$root/srv/pipe" "$root/srv/fifo"
        touch -d '1969-07-20 20:17:40 UTC' "$root/srv/fifo"
        run_buildah umount "$container"
        run_buildah commit --quiet --format oci "$container" first

        container=$(run_buildah from first)
        run_buildah run --isolation chroot "$container" -- sh -ec '
            rm -rf /srv/gone /srv/one/deep /srv/two/old /usr/share/bash-completion
            mkdir /srv/one/deep && echo new >/srv/one/deep/new
            ln /srv/setuid /srv/one/setuid && chmod 1777 /srv/two
            useradd --create-home --shell /bin/sh tester'
        run_buildah config --cmd /bin/sh --env KEPT=yes "$container"
        run_buildah commit --quiet --format oci "$container" "oci:$work/oci:latest"

        # Nanoseconds, holes and attributes other than user.* are more than buildah writes.
        mkdir -p "$work/top/srv/top"
        cd "$work/top"
        echo nano >srv/top/nano
        ln srv/top/nano srv/top/same
        truncate -s 1M srv/top/sparse
        echo end >>srv/top/sparse
        setfattr -n user.more -v 0x00ff srv/top/nano
        setfattr -n trusted.mark -v 1 srv/top
        touch srv/.wh.pipe
        touch -d '2031-05-06 07:08:09.123456789 UTC' srv/top/nano
        touch -d '1999-01-01 00:00:00.5 UTC' srv/top srv
        tar --format=posix --sparse --xattrs --xattrs-include='*' --owner=0 --group=0 -cf ../top.tar srv
        umoci raw add-layer --image "$work/oci:latest" ../top.tar
        umoci gc --layout "$work/oci"
        """
}
