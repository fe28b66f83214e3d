import Platform
import Store
import Testing

@Suite("A container's manifest")
struct ContainerManifestTests {
    private func read(_ text: String) throws -> ContainerManifest {
        try ContainerManifest(json: Array(text.utf8))
    }

    @Test("is read as the Python program writes it")
    func whole() throws {
        let manifest = try read(
            """
            {"image_ref": "docker.io/library/debian:12", "arch": "amd64",
             "manifest": {"schemaVersion": 2, "config": {"digest": "sha256:00"}, "layers": [{"size": 1}]},
             "image_config": {"architecture": "arm64", "config": {"Entrypoint": ["/e", "x"], "Cmd": ["c"],
             "Env": ["A=1", "B"], "User": "me:us", "WorkingDir": "/w", "Shell": ["/bin/bash", "-c"],
             "StopSignal": "SIGINT", "ExposedPorts": {"80/tcp": {}, "443/tcp": {}}, "Labels": {"l": "v"}}}}
            """)
        #expect(manifest.imageReference == "docker.io/library/debian:12")
        #expect(manifest.architecture == "amd64")
        let settings = manifest.settings
        #expect(settings.entrypoint == ["/e", "x"] && settings.command == ["c"])
        #expect(settings.environment == ["A=1", "B"] && settings.shell == ["/bin/bash", "-c"])
        #expect(
            settings.user == "me:us" && settings.workingDirectory == "/w" && settings.stopSignal == "SIGINT")
        #expect(settings.exposedPorts == ["443/tcp", "80/tcp"] && settings.labels == ["l": "v"])
    }

    @Test(
        "reads what is missing, null or of the wrong type as absent",
        arguments: [
            "{}", #"{"image_ref":null,"arch":null,"image_config":null}"#,
            #"{"image_ref":7,"arch":[],"image_config":"x"}"#,
            #"{"image_ref":"","image_config":{"config":null}}"#, #"{"image_config":{"config":[]}}"#,
            #"{"image_config":{"architecture":3,"config":{"Entrypoint":7,"Cmd":{},"Env":"A=1","User":["a"],"WorkingDir":1,"Shell":"sh","StopSignal":9,"ExposedPorts":[],"Labels":{"a":1}}}}"#,
            #"{"image_config":{"config":{"User":"","WorkingDir":"","Entrypoint":null,"Cmd":[1,2]}}}"#,
        ])
    func tolerant(_ text: String) throws { #expect(try read(text) == ContainerManifest()) }

    @Test("takes the architecture of the image when none was recorded")
    func architecture() throws {
        #expect(try read(#"{"image_config":{"architecture":"riscv64"}}"#).architecture == "riscv64")
    }

    @Test("takes a string for the shell's words")
    func shellForm() throws {
        let settings = try read(#"{"image_config":{"config":{"Entrypoint":"run me","Cmd":""}}}"#).settings
        #expect(settings.entrypoint == ["/bin/sh", "-c", "run me"])
        #expect(settings.command == [])
    }

    @Test("is refused when it is no document", arguments: ["", "[", "7", "[]", "\u{0}"])
    func garbage(_ text: String) { #expect(throws: (any Error).self) { try read(text) } }
}
