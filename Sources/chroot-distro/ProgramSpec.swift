import CLI

extension Program {
    /// What stands around the commands.
    static let spec = ProgramSpec(
        name: "chroot-distro", version: version,
        summary: "Linux systems from container images, at native speed",
        description: [
            "Turns any OCI or Docker image, or a root file system archive, into a Linux system to live in. There is no daemon: containers are directories, and what runs in them are ordinary processes."
        ],
        flags: [
            Flag("no-elevate", help: "Do not become root by sudo, doas, pkexec or su; fail instead"),
            Flag("use-sudo", help: "On Termux, use sudo rather than su"),
        ],
        sections: [
            .init(
                "Environment",
                rows: [
                    .init("XDG_DATA_HOME", "Keep containers below it, in chroot-distro/"),
                    .init("XDG_CACHE_HOME", "Keep downloaded images below it, in chroot-distro/"),
                    .init(
                        "XDG_CONFIG_HOME",
                        "Where chroot-distro/config.json is looked for, before /etc (default ~/.config)"),
                    .init("CD_DOCKER_AUTH, PD_DOCKER_AUTH", "Credentials for registries: user:password"),
                    .init("CD_DOWNLOAD_WORKERS", "Parallel downloads, 1 to 10 (default 4)"),
                    .init("CD_DOWNLOAD_RATE_LIMIT", "Bytes per second for all downloads, such as 5M"),
                    .init("CD_DOWNLOAD_MAX_RETRIES", "Retries after a failed request, 0 to 20 (default 3)"),
                    .init("CD_USER, CD_WORKDIR, CD_ENV, CD_ENTRYPOINT", "Defaults for login and run"),
                    .init("CD_USE_ISOLATION", "1 or strict: as with --isolated"),
                    .init(
                        "CD_USE_NS", "1: processes, host name, IPC and control groups of the container's own"),
                    .init(
                        "CD_NO_NEW_PRIVS, CD_NO_SECCOMP, CD_NO_CAP_DROP",
                        "1: let nobody gain privileges; deny no system call; drop no capability"),
                    .init("CD_LOG_SIZE", "Bytes of a detached session's log, such as 2M (default 8M)"),
                    .init("CD_HUB_URL", "Where search asks instead of Docker Hub"),
                    .init("SOURCE_DATE_EPOCH", "The latest time in an image that commit makes"),
                    .init(
                        "http_proxy, https_proxy, all_proxy, no_proxy",
                        "Proxies, as for curl; all but http_proxy also in capitals"),
                    .init("SSL_CERT_FILE, SSL_CERT_DIR", "Trusted certificates"),
                    .init(
                        "CD_SU_PATH, CD_SU_MOUNT_MASTER",
                        "On Termux: which su; 1: use its option --mount-master"),
                    .init("CHROOT_DISTRO_NO_ELEVATE, CHROOT_DISTRO_USE_SUDO", "The same as the two options"),
                    .init("CD_FORCE_NO_COLORS, NO_COLOR", "Never use colours"),
                ]),
            .init(
                "Files",
                rows: [
                    .init(
                        "~/.config/chroot-distro/config.json",
                        "Registries: mirrors, certificates, which are insecure; see docs/configuration.md"),
                    .init(
                        "/etc/chroot-distro/config.json",
                        "The same for everybody who has no file of their own ($PREFIX/etc on Termux)"),
                ]),
        ],
        examples: [
            .init("chroot-distro install debian:12", "Get an image and make a container of it"),
            .init("chroot-distro login debian", "Start a shell in it"),
            .init("chroot-distro login debian -- apt-get update", "Run one command in it"),
            .init("chroot-distro list", "See what is installed"),
            .init("chroot-distro remove debian", "Delete it with everything in it"),
        ])
}
