import CLI
import Platform

/// A program with the real grammar of three commands, and what a few others need of it.
enum ExampleProgram {
    final class Context {
        var said: [String] = []
    }

    static let spec = ProgramSpec(
        name: "chroot-distro", version: "1.2.3", summary: "Linux distributions in a chroot, without a daemon",
        description: ["Installs images and enters them."],
        flags: [
            Flag("no-elevate", help: "Never ask for root"),
            Flag("use-sudo", help: "On Termux, prefer sudo over su"),
        ],
        sections: [
            CommandSpec.Section("Data", rows: [.init("/var/lib/chroot-distro", "Installed containers")])
        ],
        examples: [.init("chroot-distro install debian", "Install Debian")])

    static let table = CommandTable<Context>([
        Login.self, Run.self, Install.self, List.self, Copy.self, Complete.self, PictureShow.self,
        PictureDrop.self,
    ])

    static let session: [Flag] = [
        Flag("user", short: "u", value: "USER", help: "Log in as USER: a name, a uid, name:group or uid:gid"),
        Flag(
            "isolated", aliases: ["isolate"], group: "mode", help: "Share as little as possible with the host"
        ),
        Flag("minimal", group: "mode", help: "Only /dev, /proc and /sys, and an almost empty environment"),
        Flag("shared-home", help: "Bind the home directory of the invoking user"),
        Flag("shared-tmp", group: "tmp", help: "Bind the host's /tmp"),
        Flag("no-shared-tmp", group: "tmp", help: "Give the container a /tmp of its own"),
        Flag(
            "shared-display", aliases: ["shared-x11"],
            help: "Share the display, the sound and the session bus"),
        Flag(
            "bind", short: "b", value: "SRC[:DST[:OPTS]]", kind: .file, repeatable: true,
            help: "Bind a host path"),
        Flag("hostname", value: "NAME", help: "Name the container's host"),
        Flag("work-dir", short: "w", value: "PATH", help: "Start in this directory"),
        Flag("env", short: "e", value: "VAR=VALUE", repeatable: true, help: "Set a variable"),
        Flag("get-chroot-cmd", help: "Print the command line instead of running it"),
    ]

    struct Login: Command {
        static let spec = CommandSpec(
            "login", aliases: ["sh"], summary: "Start a shell inside a container", group: "Use",
            description: ["Starts the login shell of a user, or COMMAND, in an installed container."],
            operands: [Operand("CONTAINER", .container)],
            trailing: TrailingWords("COMMAND", allowsBareWords: true), flags: session,
            sections: [
                .init(
                    "Variables", paragraphs: ["Read from the host:"], rows: [.init("CD_USER", "See --user.")])
            ],
            examples: [.init("chroot-distro login deb -- ls -l /", "Run one command")])
        let container: String
        let command: [RawString]

        init(_ arguments: ParsedArguments) throws(UsageError) {
            container = try arguments.operand("CONTAINER")
            command = arguments.trailing ?? []
        }

        func run(in context: borrowing Context) -> ExitStatus {
            context.said.append("login \(container) \(command)")
            return .success
        }
    }

    struct PictureShow: Command {
        static let spec = CommandSpec(
            "picture show", aliases: ["show"], summary: "Show a picture", group: "Pictures",
            operands: [Operand("PICTURE", .image)], flags: [Flag("full", help: "All of it")])
        init(_ arguments: ParsedArguments) {}
        func run(in context: borrowing Context) -> ExitStatus {
            context.said.append("show")
            return .success
        }
    }

    struct PictureDrop: Command {
        static let spec = CommandSpec(
            "picture drop", aliases: ["picture discard"], summary: "Drop a picture", group: "Pictures",
            operands: [Operand("PICTURE", .image)],
            flags: [Flag("sort", value: "HOW", kind: .choice(["fast", "slow"]), help: "In this order")])
        init(_ arguments: ParsedArguments) {}
        func run(in context: borrowing Context) -> ExitStatus { .success }
    }

    struct Run: Command {
        static let spec = CommandSpec(
            "run", summary: "Run the image's own command", group: "Use",
            operands: [Operand("CONTAINER", .container)],
            trailing: TrailingWords("ARG", allowsBareWords: false),
            flags: session + [Flag("detach", short: "d", help: "Run in the background")])
        init(_ arguments: ParsedArguments) {}
        func run(in context: borrowing Context) -> ExitStatus { .success }
    }

    struct Install: Command {
        static let spec = CommandSpec(
            "install", aliases: ["add", "i", "in", "ins"], summary: "Install a container", group: "Manage",
            operands: [Operand("IMAGE", .imageOrFile)],
            flags: [
                Flag("name", short: "n", value: "NAME", group: "name", help: "Name the container"),
                Flag(
                    "override-alias", value: "NAME", hidden: true, group: "name", help: "The same as --name"),
                Flag(
                    "architecture", short: "a", value: "ARCH", kind: .suggestion(["aarch64", "x86_64"]),
                    help: "Install for another processor"),
                Flag("quiet", short: "q", help: "Say only what went wrong"),
            ])
        init(_ arguments: ParsedArguments) {}
        func run(in context: borrowing Context) -> ExitStatus { .success }
    }

    struct List: Command {
        static let spec = CommandSpec(
            "list", aliases: ["li", "ls"], summary: "List containers", group: "Manage",
            flags: [
                Flag("quiet", short: "q", group: "format", help: "Only names"),
                Flag("verbose", short: "v", group: "format", help: "More of each"),
                Flag("json", group: "format", help: "JSON"),
                Flag("sort", value: "KEY", kind: .choice(["name", "size"]), help: "Sort by name or size"),
                Flag("limit", short: "l", value: "N", help: "Show at most N"),
            ])
        init(_ arguments: ParsedArguments) {}
        func run(in context: borrowing Context) -> ExitStatus { .success }
    }

    struct Copy: Command {
        static let spec = CommandSpec(
            "copy", aliases: ["cp"], summary: "Copy files", group: "Manage",
            operands: [Operand("SRC", .containerPath), Operand("DST", .containerPath)],
            flags: [
                Flag("quiet", short: "q", help: "Only errors"),
                Flag("verbose", short: "v", help: "Each file"),
            ])
        init(_ arguments: ParsedArguments) {}
        func run(in context: borrowing Context) -> ExitStatus { .success }
    }

    struct Complete: Command {
        static let spec = CommandSpec(
            "__complete", summary: "Words for a shell", operands: [Operand("KIND")], hidden: true)
        init(_ arguments: ParsedArguments) {}
        func run(in context: borrowing Context) -> ExitStatus { .success }
    }
}
