import Testing

@testable import Store

@Suite("ContainerManifest") struct ContainerManifestTests {
    @Test("takes out what a session needs")
    func whole() throws {
        let text = """
            {"image_ref": "debian:12", "arch": "arm64", "manifest": {"layers": [1]}, "image_config": {
              "architecture": "amd64", "history": [{}], "config": {
                "Entrypoint": ["/init", "-x"], "Cmd": "echo $HOME", "Env": ["A=1", "B="], "User": "1000:100",
                "WorkingDir": "/srv", "Shell": ["/bin/ash", "-c"], "StopSignal": "SIGINT",
                "ExposedPorts": {"80/tcp": {}, "53/udp": {"x": 1}}, "Labels": {"k": "v"}}}}
            """
        let manifest = try ContainerManifest(json: Array(text.utf8))
        #expect(manifest.imageReference == "debian:12")
        #expect(manifest.architecture == "arm64")
        #expect(
            manifest.settings
                == ImageSettings(
                    entrypoint: ["/init", "-x"], command: ["/bin/sh", "-c", "echo $HOME"],
                    environment: ["A=1", "B="], user: "1000:100", workingDirectory: "/srv",
                    shell: ["/bin/ash", "-c"], stopSignal: "SIGINT", exposedPorts: ["53/udp", "80/tcp"],
                    labels: ["k": "v"]))
    }

    @Test(
        "a member that is missing, null, empty or of another type reads as absent, and spoils no other",
        arguments: [
            #"{}"#, #"{"image_ref": "", "arch": null, "image_config": null}"#,
            #"{"image_ref": 7, "arch": ["x"], "image_config": []}"#, #"{"image_config": {"config": 1}}"#,
            #"{"image_config": {"architecture": {}, "config": {"Entrypoint": [1], "Cmd": {}, "Env": "A=1"}}}"#,
            #"{"image_config": {"config": {"User": "", "WorkingDir": "", "ExposedPorts": [], "Labels": {"a": 1}}}}"#,
        ])
    func lenient(text: String) throws {
        #expect(try ContainerManifest(json: Array(text.utf8)) == ContainerManifest())
        let known = #"{"image_ref": "x", "image_config": {"config": {"Env": 1, "User": "u", "Cmd": ""}}}"#
        let manifest = try ContainerManifest(json: Array(known.utf8))
        #expect(manifest.imageReference == "x" && manifest.settings.user == "u" && manifest.settings.command == [])
    }

    @Test("what is no object is an error", arguments: ["", "[]", "{", "7", "{\"a\": }"])
    func invalid(text: String) { #expect(throws: (any Error).self) { try ContainerManifest(json: Array(text.utf8)) } }
}
