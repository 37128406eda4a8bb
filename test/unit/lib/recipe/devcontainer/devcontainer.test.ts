import { Result } from "effect"
import { assert, describe, it } from "vitest"
import { typedTold } from "../../../../../src/contract/rows/next-steps.ts"
import { workspaceCreate } from "../../../../../src/contract/rows/workspace-lifecycle.ts"
import {
  devContainerOf,
  type Place,
  planOf,
  readFile,
  variablesOf
} from "../../../../../src/lib/recipe/devcontainer.ts"
import { projects } from "./projects.ts"

const place: Place = { project: "/home/me/mono", file: "/home/me/mono/.devcontainer/devcontainer.json", given: {} }

const read = (text: string) => Result.getOrThrow(readFile(text))
const plan = (text: string, given: Place["given"] = {}) => planOf(read(text).file, variablesOf({ ...place, given }))
const planned = (text: string, given: Place["given"] = {}) => Result.getOrThrow(plan(text, given))
const described = (text: string, image: { env?: ReadonlyArray<string>; label?: string } = {}) =>
  devContainerOf(read(text), place, { env: image.env ?? [], label: image.label })

const shell = (text: string) => ({ argv: ["/bin/sh", "-c", text] })

describe("the build of a devcontainer.json", () => {
  it.each(
    [
      ["python", "mcr.microsoft.com/devcontainers/python:1-3.12-bookworm"],
      ["docs", "docker.io/library/node:22"],
      ["monorepo", `ghcr.io/org/backend@sha256:${"a".repeat(64)}`]
    ] as const
  )("of the project %s is an image", (name, reference) => {
    const { base, features } = planned(projects[name])
    assert.deepStrictEqual(base, { _tag: "image", reference })
    assert.deepStrictEqual(features, [])
  })

  it("has features with their options, in their order", () => {
    assert.deepStrictEqual(planned(projects.node).features, [
      { id: "ghcr.io/devcontainers/features/github-cli:1", options: {} },
      { id: "ghcr.io/devcontainers/features/docker-in-docker:2", options: { moby: "true", version: "latest" } },
      { id: "ghcr.io/devcontainers-contrib/features/pnpm:2", options: { version: "9" } }
    ])
    assert.deepStrictEqual(planned(projects.cpp).features, [
      { id: "./local-features/conan", options: { version: "2" } }
    ])
  })

  it("takes short names of features, which older files have, for those of containers.dev", () => {
    const older = planned(projects.older)
    assert.deepStrictEqual(older.features, [
      { id: "ghcr.io/devcontainers/features/git:1", options: { version: "os-provided" } },
      { id: "ghcr.io/devcontainers/features/go:1", options: { version: "1.17" } }
    ])
    assert.deepStrictEqual(older.order, ["ghcr.io/devcontainers/features/go:1"])
  })

  it.each(
    [
      ["go", "Dockerfile", ".", undefined],
      ["java", "Dockerfile", "..", undefined],
      ["cpp", "../docker/dev.Dockerfile", "..", "dev"]
    ] as const
  )("of the project %s is a Dockerfile with its context", (name, file, context, target) => {
    const { base } = planned(projects[name])
    assert.include(base, { _tag: "dockerfile", file, context, target })
  })

  it("gets no variable of the host, but those that the person named, and defaults", () => {
    process.env["GITHUB_TOKEN"] = "of the host"
    try {
      assert.deepInclude(planned(projects.php).base, { arguments: { TOKEN: "", PHP: "8.3" } })
      assert.deepInclude(planned(projects.php, { GITHUB_TOKEN: "named" }).base, {
        arguments: { TOKEN: "named", PHP: "8.3" }
      })
    } finally {
      delete process.env["GITHUB_TOKEN"]
    }
  })

  it.each([
    [projects.ruby, /dockerComposeFile/],
    [`{}`, /neither an image nor a Dockerfile/],
    [`{"image": "not an image"}`, /image: "not an image"/]
  ])("%s is refused with the way out", (text, said) => {
    assert.match(Result.getOrThrow(Result.flip(plan(text))), said)
  })
})

describe("the folder of a devcontainer.json", () => {
  it.each(
    [
      ["python", "/workspace", ["/workspaces/mono"]],
      ["java", "/workspace/server", ["/home/vscode/src"]],
      ["conda", "/workspace", []],
      ["monorepo", "/workspace/services/backend", ["/workspaces/mono"]]
    ] as const
  )("of the project %s is beneath /workspace, with links for its own name", (name, cwd, links) => {
    assert.strictEqual(described(projects[name]).cwd, cwd)
    assert.deepStrictEqual(planned(projects[name]).links, links)
  })

  it.each([
    ["/workspace", "/workspace", ["/workspaces/mono"]],
    ["/workspace/sub", "/workspace/sub", ["/workspaces/mono"]],
    ["/srv/app", "/workspace", ["/workspaces/mono", "/srv/app"]],
    ["/workspaces/mono/../../etc", "/workspace", ["/workspaces/mono", "/etc"]],
    ["/", "/workspace", ["/workspaces/mono"]]
  ])("%s becomes %s", (workspaceFolder, cwd, links) => {
    const text = JSON.stringify({ image: "a", workspaceFolder })
    assert.strictEqual(described(text).cwd, cwd)
    assert.deepStrictEqual(planned(text).links, links)
  })
})

describe("the workspace of a devcontainer.json", () => {
  it("has its commands in order, with their variables replaced", () => {
    assert.deepStrictEqual(described(projects.node).steps.create, [
      { name: "onCreateCommand", commands: [shell("pnpm install --frozen-lockfile")] },
      { name: "updateContentCommand", commands: [{ argv: ["pnpm", "run", "build"] }] }
    ])
    assert.deepStrictEqual(described(projects.node).steps.start, [{
      name: "postAttachCommand",
      commands: [{ label: "server", ...shell("pnpm start") }, { label: "notes", ...shell("cat docs/notes.md") }]
    }])
    assert.deepStrictEqual(described(projects.monorepo).steps.create, [
      { name: "postCreateCommand", commands: [shell("./setup.sh /workspace/services/backend /workspace")] }
    ])
  })

  it("has the variables of the container and of its commands, and a null removes one", () => {
    assert.deepEqual({ ...described(projects.go, { env: ["PATH=/bin", "=odd"] }).env }, {
      GOFLAGS: "-buildvcs=false",
      GOPATH: "/go",
      PATH: "/bin:/go/bin"
    })
    const text = `{"image": "a", "containerEnv": {"A": "1", "B": "2"}, "remoteEnv": {"A": null}}`
    assert.deepEqual({ ...described(text).env }, { B: "2" })
  })

  it.each([
    [[3000, "localhost:4000", "3000", "db:5432", 0, 70_000, "80; rm"], [3000, 4000]],
    [[], []]
  ])("forwards the ports of %j that are its own", (forwardPorts, ports) => {
    assert.deepStrictEqual(described(JSON.stringify({ image: "a", forwardPorts })).ports, ports)
  })

  it("takes the image's label for a file below its own", () => {
    const label = JSON.stringify([
      { remoteEnv: { EDITOR: "vi", PAGER: "cat" }, postCreateCommand: "image" },
      { postCreateCommand: "feature" }
    ])
    const { env, steps } = described(
      `{"image": "a", "remoteEnv": {"EDITOR": "ed"}, "postCreateCommand": "own"}`,
      {
        label
      }
    )
    assert.deepEqual({ ...env }, { EDITOR: "ed", PAGER: "cat" })
    assert.deepStrictEqual(steps.create.map(({ commands }) => commands[0]?.argv[2]), ["image", "feature", "own"])
  })

  it.each([[undefined], [""], ["{}"], ["[1]"], [`[{"postCreateCommand": 7}]`], ["not JSON"]])(
    "an image's label of another form, %j, says nothing",
    (label) => {
      assert.deepStrictEqual(described(projects.docs, { ...(label === undefined ? {} : { label }) }).steps.create, [])
    }
  )

  it.each(
    [
      ["python", []],
      ["docs", []],
      ["node", [/forwards the ports 3000, db:5432/, /: --vcpu-count 4\..*: --mem-mib 8192\..*: --disk-mib 32768$/]],
      ["go", [/does not use runArgs$/]],
      ["rust", [/does not use mounts, capAdd, securityOpt$/]],
      ["java", [/does not use workspaceMount$/]],
      ["cpp", [/does not use privileged, init$/, /initializeCommand would run on this host/]],
      ["php", [/does not use appPort, secrets$/, /no variable of this host \(GITHUB_TOKEN, PHP\)/]],
      ["monorepo", [/unknown properties, which pyro does not use: madeUp$/]]
    ] as const
  )("the person reads what pyro does not do for the project %s", (name, notes) => {
    const said = described(projects[name]).notes.map((one) => typedTold(one, workspaceCreate.cli))
    assert.lengthOf(said, notes.length, said.join("\n"))
    notes.forEach((note, at) => assert.match(said[at]!, note))
  })
})

describe("ports that the creation publishes", () => {
  it.each([
    [[3000, "localhost:4000"], []],
    [[3000, "db:5432"], ["devcontainer.json: pyro does not publish db:5432: no port of the container itself"]]
  ])("of %j, the person reads only what stays unpublished", (forwardPorts, notes) => {
    const text = JSON.stringify({ image: "a", forwardPorts })
    assert.deepStrictEqual(
      devContainerOf(read(text), place, { env: [], label: undefined }, { forwarded: true }).notes.map(({ message }) =>
        message
      ),
      notes
    )
  })
})

describe("a hostile devcontainer.json", () => {
  it.each([
    ["[".repeat(200_000), /too many levels/],
    ["{", /no JSON: CloseBraceExpected in line 1/],
    ["[]", /no JSON object/],
    [`{"image": 7}`, /^image: /],
    [`{"build": {"args": {"A": 1}}}`, /^build\.args\.A: /],
    [`{"image": "a\\u0000b"}`, /NUL/],
    [JSON.stringify({ image: "a".repeat(20_000) }), /^image: /],
    [JSON.stringify({ runArgs: Array.from({ length: 300 }, () => "a") }), /^runArgs: /],
    [
      JSON.stringify({ features: Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`f${at}`, {}])) }),
      /^features: must have at most 256/
    ]
  ])("is refused with its fault: %.40j", (text, said) => {
    assert.match(Result.getOrThrow(Result.flip(readFile(text))), said)
  })

  it("a text of many dollar signs is replaced at once", () => {
    const text = JSON.stringify({ image: "a", postCreateCommand: "${a:".repeat(4000) })
    assert.lengthOf(described(text).steps.create, 1)
  })
})
