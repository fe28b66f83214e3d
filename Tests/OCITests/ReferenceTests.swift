import Testing

@testable import OCI

@Suite("Reference") struct ReferenceTests {
    static let hex = String(repeating: "a", count: 64)

    @Test(
        "a name is read as Docker reads it, and its full form reads back",
        arguments: [
            ("alpine", "docker.io/library/alpine:latest"),
            ("alpine:3.20", "docker.io/library/alpine:3.20"),
            ("org/app", "docker.io/org/app:latest"),
            ("docker.io/alpine", "docker.io/library/alpine:latest"),
            ("index.docker.io/org/app:1", "docker.io/org/app:1"),
            ("registry-1.docker.io/library/alpine", "docker.io/library/alpine:latest"),
            ("docker://quay.io/a/b.c:1", "quay.io/a/b.c:1"),
            ("localhost/app", "localhost/app:latest"),
            ("localhost:5000/app", "localhost:5000/app:latest"),
            ("UPPER/app", "UPPER/app:latest"),
            ("[::1]:5000/app:x", "[::1]:5000/app:x"),
            ("a__b/c-d---e.f_g", "docker.io/a__b/c-d---e.f_g:latest"),
            ("app@sha256:\(hex)", "docker.io/library/app@sha256:\(hex)"),
            ("ghcr.io/o/app:1@sha256:\(hex)", "ghcr.io/o/app:1@sha256:\(hex)"),
        ])
    func reads(text: String, full: String) throws {
        let reference = try Reference(text)
        #expect(reference.description == full)
        #expect(try Reference(full) == reference)
        #expect(try Reference(reference.familiar) == reference)
    }

    @Test(
        "what is no reference is refused before anything is asked",
        arguments: [
            "", ":", "app:", "app:tag:tag", "app#x", "Upper", "org/Upper", "-app", "app-", "a..b", "a___b",
            "a//b", "/a",
            "a/", "a b", "a\n", "app@sha256:123", "app@", "host.io:99999/app", "host.io:/app", "host-.io/app",
            hex,
            "app:\(String(repeating: "t", count: 129))", "../etc/passwd", "[::1/app", "é",
            String(repeating: "a", count: 256),
        ])
    func refuses(text: String) {
        #expect(throws: ReferenceError.self) { try Reference(text) }
    }

    @Test(
        "a container is named after the last part",
        arguments: [("quay.io/a/b.c:1", "b.c"), ("alpine", "alpine")])
    func containerName(text: String, name: String) throws {
        #expect(try Reference(text).defaultContainerName == name)
    }

    @Test("a short form that would change its meaning stays long")
    func familiar() throws {
        #expect(try Reference("docker.io/library/alpine:3").familiar == "alpine:3")
        #expect(try Reference("docker.io/a.b/c").familiar == "docker.io/a.b/c:latest")
    }
}

@Suite("ImagePlatform") struct ImagePlatformTests {
    @Test(
        "every spelling becomes Docker's",
        arguments: [
            ("aarch64", "linux/arm64"), ("arm64", "linux/arm64"), ("linux/arm64/v8", "linux/arm64"),
            ("x86_64", "linux/amd64"), ("i686", "linux/386"), ("386", "linux/386"), ("arm", "linux/arm/v7"),
            ("armhf", "linux/arm/v7"), ("armv8l", "linux/arm/v7"), ("linux/arm/v6", "linux/arm/v6"),
            ("arm/v5", "linux/arm/v5"), ("riscv64", "linux/riscv64"), ("ppc64le", "linux/ppc64le"),
            ("s390x", "linux/s390x"), ("loongarch64", "linux/loong64"),
        ])
    func spellings(text: String, name: String) throws {
        #expect(try ImagePlatform(text).description == name)
    }

    @Test(
        "nonsense is refused",
        arguments: ["", "mips", "windows/amd64", "linux/", "arm/../v7", "linux/arm/v7/x"])
    func nonsense(text: String) {
        #expect(throws: ImagePlatformError.self) { try ImagePlatform(text) }
    }

    @Test("a processor runs what was made for older ones, and nothing newer")
    func distances() throws {
        let seven = try ImagePlatform("arm/v7")
        let six = try ImagePlatform("arm/v6")
        #expect(seven.distance(to: seven) == 0)
        #expect(seven.distance(to: six) != nil)
        #expect(six.distance(to: seven) == nil)
        #expect(seven.distance(to: ImagePlatform(architecture: "arm64")) == nil)
        #expect(ImagePlatform(architecture: "amd64").distance(to: try ImagePlatform("amd64/v3")) == nil)
    }
}
