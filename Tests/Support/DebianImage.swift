import Libc
import Platform

/// A real Debian system in an OCI layout, made by `mmdebstrap` once for this machine.
package enum DebianImage {
    private static let cache = HostPath("/var/cache/chroot-distro-tests")

    /// The layout, tagged `latest`; making it takes a minute and needs the distribution's mirror.
    package static func layout() throws -> HostPath {
        let layout = cache / "debian"
        try Run.succeeding("mkdir", ["-p", cache.rawValue])
        let lock = try FileDescriptor.open(cache / "lock", O_RDWR | O_CREAT, mode: 0o600)
        try syscall("flock") { flock(lock.rawValue, LOCK_EX) }
        if access((layout / "oci-layout").rawValue, F_OK) == 0 { return layout }
        try Run.shell(
            """
            work=$(mktemp -d -p "$1" making.XXXXXX)
            trap 'rm -rf "$work"' EXIT
            umoci init --layout "$work/oci"
            umoci new --image "$work/oci:latest"
            umoci unpack --image "$work/oci:latest" "$work/bundle"
            rmdir "$work/bundle/rootfs"
            mmdebstrap --quiet --variant=minbase --mode=root --format=directory stable "$work/bundle/rootfs"
            umoci repack --image "$work/oci:latest" "$work/bundle"
            umoci config --image "$work/oci:latest" --config.cmd bash --no-history
            umoci gc --layout "$work/oci"
            rm -rf "$2"
            mv "$work/oci" "$2"
            """, cache.rawValue, layout.rawValue)
        return layout
    }
}
