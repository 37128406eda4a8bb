import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as path from "node:path"
import { asksOf, asksOfFile } from "../../../src/project/asks.ts"
import type { Definition } from "../../../src/project/definition.ts"
import { folderWith } from "./folder.ts"

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
        [
          { network: { allowHosts: ["host.pyro.internal:22"] } },
          "connections to port 22 of this computer (host.pyro.internal:22)"
        ],
        [{ network: { policy: "egress", denyHosts: ["b", "a"] } }, "connections to every public host but not to a, b"],
        [
          { network: { allowHosts: ["npm"], allowIps: ["10.0.0.1:80"] } },
          "connections to npm\nconnections to 10.0.0.1:80"
        ],
        [
          { network: { policy: "egress+published-ports", allowHosts: ["npm"] } },
          "connections to npm\nports that a model publishes on 127.0.0.1 of this host"
        ],
        [
          { network: { allowHosts: ["npm"], trustHostCertificates: true } },
          "connections to npm\ntrust in the certificate authorities that this host added to the public ones"
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
        [
          { secrets: ["KEY"], secretHttp: ["KEY@api.example.com+pull=b/c+pull=a"] },
          "the value of the variable KEY, for requests to api.example.com:443 that pull a, b/c"
        ],
        [
          {
            secrets: ["KEY"],
            secretHttp: ["KEY@api.example.com"],
            setup: [{ run: "x", secrets: ["KEY"] }],
            services: { web: { command: "x", secrets: ["KEY"] } }
          },
          "the value of the variable KEY, for requests to api.example.com:443"
        ],
        [
          { secrets: ["KEY"], secretHttp: ["KEY@api.example.com"], secretCommands: ["KEY"] },
          "the value of the variable KEY, for requests to api.example.com:443\n" +
          "the value of the variable KEY, for commands in the workspace"
        ],
        [
          { sshAgent: { hosts: ["github.com"] } },
          "logins to github.com with your SSH agent, while the workspace exists"
        ],
        [
          { sshAgent: { hosts: ["github.com"], ask: true } },
          "logins to github.com with your SSH agent, while the workspace exists, each after a question"
        ],
        [{ seed: { includeIgnored: [".env"] } }, "a copy of files that git ignores: .env"],
        [
          { environment: "docker.io/python" },
          "the image docker.io/library/python:latest, from its registry, with your login there"
        ]
      ] as const
    ) assert.strictEqual(phrases(definition), phrase)
  })

  const asksIn = (definition: Definition, files: Readonly<Record<string, string>>) => {
    const directory = folderWith(files)
    return asksOfFile({ directory, path: path.join(directory, "pyro.toml"), definition })
  }

  it.effect("more than a person can read is refused, with the place of the file", () =>
    Effect.gen(function*() {
      const refused = (includeIgnored: ReadonlyArray<string>) =>
        Effect.map(Effect.flip(asksIn({ seed: { includeIgnored } }, {})), ({ message }) => message)
      assert.include(yield* refused([`{${"a,".repeat(450)}.env}`]), "asks for a thing with more than 900 characters")
      assert.include(yield* refused([`a${"\n".repeat(450)}`]), "asks for a thing with more than 900 characters")
      const many = Array.from({ length: 201 }, (_, at) => `file-${at}`)
      assert.include(yield* refused(many), "asks for 201 things, and a person can be asked for 200")
      assert.lengthOf(yield* asksIn({ seed: { includeIgnored: many.slice(1) } }, {}), 200)
    }))

  it.effect("a build has the registries that it reaches", () =>
    Effect.gen(function*() {
      const Dockerfile =
        "ARG V\nFROM python:3.12 AS one\nFROM ghcr.io/a/b AS two\nFROM $V\nFROM quay.io/a/c\nCOPY --from=one x y\nCOPY --from=two x y\n"
      assert.deepStrictEqual(yield* asksIn({ dockerfile: ".", build: { allowHosts: ["pypi"] } }, { Dockerfile }), [
        "a build of the Dockerfile ., with images from docker.io, ghcr.io, quay.io, with your logins there",
        "connections to pypi during the build"
      ])
      const local = { Dockerfile: "ARG R\nFROM $R/x\n" }
      assert.deepStrictEqual(yield* asksIn({ dockerfile: ".", build: { args: { R: "localhost:22" } } }, local), [
        "a build of the Dockerfile ., with images from port 22 of this computer (localhost:22), with your logins there"
      ])
      const named = "x, with images from docker.io"
      assert.deepStrictEqual(yield* asksIn({ dockerfile: named }, { [`${named}/Dockerfile`]: "FROM quay.io/a/b" }), [
        `a build of the Dockerfile '${named}', with images from quay.io, with your logins there`
      ])
      assert.deepStrictEqual(asksOf({ environment: "host.pyro.internal:22/x:1" }), [
        "the image host.pyro.internal:22/x:1, from port 22 of this computer (host.pyro.internal:22), with your login there"
      ])
      assert.deepStrictEqual(yield* asksIn({ dockerfile: "." }, { Dockerfile: "FROM scratch\n" }), [
        "a build of the Dockerfile ."
      ])
    }))

  it.effect("a dev container has those of its features, too, and its Dockerfile's", () =>
    Effect.gen(function*() {
      const container = JSON.stringify({
        build: { dockerfile: "Dockerfile" },
        features: { "ghcr.io/devcontainers/features/node:1": {}, "./own": {} }
      })
      const files = {
        ".devcontainer/devcontainer.json": container,
        ".devcontainer/Dockerfile": "FROM mcr.microsoft.com/devcontainers/base:1\n",
        ".devcontainer/own/devcontainer-feature.json": "{}"
      }
      const asked = "a build of the dev container .devcontainer/devcontainer.json, with images and features from " +
        "ghcr.io, mcr.microsoft.com, with your logins there"
      assert.deepStrictEqual(yield* asksIn({ devcontainer: true }, files), [asked])
      assert.deepStrictEqual(yield* asksIn({ devcontainer: ".devcontainer/devcontainer.json" }, files), [asked])
    }))

  it.effect("a dev container of variables of the file asks for what they name", () =>
    Effect.gen(function*() {
      const files = { ".devcontainer.json": "{ \"image\": \"${localEnv:HUB}/a:1\" }" }
      assert.deepStrictEqual(yield* asksIn({ devcontainer: true, env: { HUB: "quay.io" } }, files), [
        "a build of the dev container .devcontainer.json, with images and features from quay.io, with your logins there"
      ])
    }))
})
