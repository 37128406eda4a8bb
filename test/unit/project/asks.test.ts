import { assert, describe, it } from "vitest"
import { asksOf } from "../../../src/project/asks.ts"

describe("what a project's file asks for", () => {
  it("a microVM with a copy of the project asks for nothing", () => {
    assert.deepStrictEqual(
      asksOf({
        environment: "debian:12",
        memory: 4096,
        env: { CI: "1" },
        setup: ["make"],
        services: { web: { command: "x", readyTcp: 80 } },
        network: { policy: "off", allowHosts: ["npm"] },
        seed: { git: "full" }
      }),
      []
    )
  })

  it("each grant has a phrase with all that it depends on", () => {
    const phrases = (definition: Parameters<typeof asksOf>[0]) => asksOf(definition).join("\n")
    for (
      const [definition, phrase] of [
        [{ network: { policy: "egress" } }, "connections to every public host"],
        [{ network: { policy: "egress", denyHosts: ["b", "a"] } }, "connections to every public host but not to a, b"],
        [
          { network: { allowHosts: ["npm"], allowIps: ["10.0.0.1:80"] } },
          "connections to npm\nconnections to 10.0.0.1:80"
        ],
        [
          { network: { policy: "egress+published-ports", allowHosts: ["npm"] } },
          "connections to npm\nports that a model publishes on 127.0.0.1 of this host"
        ],
        [{ ports: ["8080:80"] }, "a port of 127.0.0.1 of this host for port 80 of the guest: 8080"],
        [
          { services: { web: { command: "x", ports: ["3000"] } } },
          "a port of 127.0.0.1 of this host for port 3000 of the guest"
        ],
        [{ secrets: ["KEY"] }, "the value of the variable KEY, for commands in the workspace"],
        [
          { secrets: ["KEY"], secretHttp: ["KEY@api.example.com:8443:x-key"] },
          "the value of the variable KEY, for requests to api.example.com:8443 in the header x-key"
        ],
        [{ seed: { includeIgnored: [".env"] } }, "a copy of files that git ignores: .env"],
        [{ environment: "docker.io/python" }, "the image docker.io/library/python:latest, from its registry"],
        [
          { dockerfile: ".", build: { allowHosts: ["pypi"] } },
          "a build of the Dockerfile ., with images from the registries that it names\nconnections to pypi during the build"
        ]
      ] as const
    ) assert.strictEqual(phrases(definition), phrase)
  })
})
