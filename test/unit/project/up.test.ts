import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { down } from "../../../src/project/down.ts"
import { show } from "../../../src/project/show.ts"
import { up } from "../../../src/project/up.ts"
import { fakeHost } from "./fake-pyro.ts"
import { folderWith } from "./folder.ts"

const FILE = `memory = 256
setup = ["first", "second"]

[env]
CI = "1"

[services.db]
command = "db"

[services.web]
command = "web"
`

/** A project with this file, and a host. */
const project = (text = FILE) => {
  const host = fakeHost()
  const directory = folderWith({ "pyro.toml": text })
  const options = { directory, cwd: directory }
  const on = <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.provide(work, host.layer)
  return {
    ...host,
    directory,
    write: (changed: string) => fs.writeFileSync(path.join(directory, "pyro.toml"), changed),
    up: (recreate = false) => on(up({ ...options, recreate }, host.surface)),
    down: (wantsDelete = false) => on(down({ ...options, delete: wantsDelete }, host.surface)),
    show: () => on(show(options)),
    /** What was asked of the host since the last call. */
    since: () => host.calls.splice(0)
  }
}

describe("pyro up", () => {
  it.effect("makes the workspace, sets it up once, and starts the services in their order", () =>
    Effect.gen(function*() {
      const { payloads, since, up } = project()
      assert.strictEqual((yield* up()).was, "created")
      assert.deepStrictEqual(since(), [
        "create debian:12",
        "exec first",
        "exec second",
        "service.start db",
        "service.start web"
      ])
      assert.deepInclude(payloads[0]![1], { memoryMib: 256, labels: { up: "pyro.toml" } })
      assert.strictEqual((yield* up()).was, "running")
      assert.deepStrictEqual(since(), [])
    }))

  it.effect("resumes what down paused, starts what was stopped, and makes what was deleted", () =>
    Effect.gen(function*() {
      const { all, down, since, up } = project()
      yield* up()
      since()
      assert.strictEqual((yield* down()).outcome, "paused")
      assert.strictEqual((yield* down()).outcome, "unchanged")
      assert.strictEqual((yield* up()).was, "resumed")
      assert.deepStrictEqual(since(), ["pause", "resume"])
      const [one] = all.values()
      one!.state = "stopped"
      one!.services.set("web", "stopped")
      assert.strictEqual((yield* up()).was, "started")
      assert.deepStrictEqual(since(), ["start", "service.start web"])
      assert.strictEqual((yield* down(true)).outcome, "deleted")
      assert.strictEqual((yield* down()).outcome, "none")
      assert.strictEqual((yield* up()).was, "created")
      all.clear()
      assert.strictEqual((yield* up()).was, "created")
    }))

  it.effect("goes on with the setup command that failed, also when the file was corrected", () =>
    Effect.gen(function*() {
      const { failing, since, up, write } = project()
      failing.add("second")
      const failed = yield* Effect.flip(up())
      assert.deepInclude(failed, { _tag: "ProjectSetupFailed", command: "second", ending: "status 3" })
      since()
      write(FILE.replace("second", "better"))
      assert.deepStrictEqual((yield* up()).change.ofNew, [])
      assert.deepStrictEqual(since(), ["exec better", "service.start db", "service.start web"])
      yield* up()
      assert.deepStrictEqual(since(), [])
    }))

  it.effect("applies a changed file, and names what only a new workspace has", () =>
    Effect.gen(function*() {
      const { payloads, since, up, write } = project()
      yield* up()
      since()
      write(FILE.replace("256", "512").replace("CI", "MODE").replace("\"web\"", "\"web 2\"").replace("first", "other"))
      const { change } = yield* up()
      assert.deepStrictEqual(change.applicable.map(({ key }) => key), ["env.CI", "env.MODE", "services.web.command"])
      assert.deepStrictEqual(change.ofNew.map(({ key }) => key), ["memory", "setup"])
      assert.deepStrictEqual(since(), ["update", "service.stop web", "service.start web"])
      assert.deepInclude(payloads.find(([name]) => name === "update")![1], { env: { MODE: "1" }, clearEnv: ["CI"] })
      // It says so until the workspace is made again.
      assert.deepStrictEqual((yield* up()).change.ofNew.map(({ key }) => key), ["memory", "setup"])
      assert.deepStrictEqual(since(), [])
      assert.deepStrictEqual((yield* up(true)).change.ofNew, [])
      assert.deepStrictEqual(since().slice(0, 3), ["delete", "create debian:12", "exec other"])
    }))

  it.effect("publishes ports, and withdraws those that the file no longer names", () =>
    Effect.gen(function*() {
      const { person, since, up, write } = project("ports = [3000, \"8080:80\"]\n")
      person.grants = true
      yield* up()
      assert.deepStrictEqual(since().slice(1), ["port.publish 3000", "port.publish 8080:80"])
      yield* up()
      assert.deepStrictEqual(since(), [])
      write("ports = [\"8081:80\"]\n")
      yield* up()
      assert.deepStrictEqual(since(), ["port.unpublish", "port.unpublish", "port.publish 8081:80"])
    }))

  it.effect("pulls an image that is not on the host, and builds a Dockerfile for each new workspace", () =>
    Effect.gen(function*() {
      const image = project("environment = \"docker.io/python:3.12\"\n")
      image.person.grants = true
      yield* image.up()
      assert.deepStrictEqual(image.since(), [
        "env.pull docker.io/library/python:3.12",
        "create docker.io/library/python:3.12"
      ])
      const built = project("dockerfile = \"docker\"\n")
      built.person.grants = true
      yield* built.up()
      const [build, create] = built.since()
      assert.match(build!, /^env\.build up-pyro-project-/)
      assert.strictEqual(create, build!.replace("env.build", "create"))
      assert.deepInclude(built.payloads[0]![1], { dockerfile: path.join(built.directory, "docker"), replace: true })
    }))

  it.effect("says that the host lacks an environment of the files before it asks for a grant of the environment", () =>
    Effect.gen(function*() {
      const { asked, directory, person, since, up, write } = project("dockerfile = \".\"\n")
      const file = path.join(directory, "Dockerfile")
      fs.writeFileSync(file, "ARG x\nFROM localhost/debain:12\n")
      person.grants = true
      const said = { environment: "debain:12", similar: ["debian:12"] }
      const absent = yield* Effect.flip(up())
      assert.deepInclude(absent, { _tag: "EnvironmentUnknown", path: fs.realpathSync(file), line: 2, ...said })
      write("devcontainer = true\n")
      const container = path.join(directory, ".devcontainer.json")
      fs.writeFileSync(container, JSON.stringify({ build: { dockerfile: "Dockerfile" } }))
      assert.deepInclude(yield* Effect.flip(up()), { _tag: "EnvironmentUnknown", ...said })
      assert.deepStrictEqual([asked, since()], [[], []])
      fs.writeFileSync(file, "FROM localhost/debian:12\n")
      yield* up()
      assert.lengthOf(asked, 1)
    }))

  it.effect("asks no person for more than can be read", () =>
    Effect.gen(function*() {
      const { asked, up } = project(`[network]\nallow_hosts = [${"\"a.example\",".repeat(201)}]\n`)
      assert.strictEqual((yield* Effect.flip(up())).code, "project_file_invalid")
      assert.deepStrictEqual(asked, [])
    }))

  it.effect("gives a build the registries that the person granted, and no others", () =>
    Effect.gen(function*() {
      const { directory, payloads, person, up, write } = project(
        "dockerfile = \".\"\nbuild.allow_hosts = [\"npm\"]\n"
      )
      const text = "FROM docker.io/library/a AS one\nFROM localhost:5000/x\nCOPY --from=one a b\n"
      fs.writeFileSync(path.join(directory, "Dockerfile"), text)
      person.grants = true
      yield* up()
      assert.deepInclude(payloads[0]![1], { allowHosts: ["npm", "localhost:5000"] })
      write("devcontainer = true\n")
      const image = (name: string) =>
        fs.writeFileSync(path.join(directory, ".devcontainer.json"), JSON.stringify({ image: name }))
      image("registry.example/a")
      yield* up(true)
      assert.deepInclude(payloads.at(-1)![1], { allowRegistries: ["registry.example"] })
      // Whoever changes the file while the person reads the question gets the registries of the question.
      person.answers = () => image("evil.example/a")
      image("other.example/a")
      yield* up(true)
      assert.deepInclude(payloads.at(-1)![1], { allowRegistries: ["other.example"] })
    }))

  it.effect("has a dev container made by the creation, and remembers its environment", () =>
    Effect.gen(function*() {
      const { directory, payloads, person, show, since, up, write } = project("devcontainer = true\nsetup = [\"x\"]\n")
      const file = path.join(directory, ".devcontainer.json")
      fs.writeFileSync(file, "{ \"image\": \"quay.io/a/b:1\" }")
      person.grants = true
      const { workspace } = yield* up()
      assert.deepStrictEqual(since(), ["create debian:12", "exec x"])
      assert.deepInclude(payloads[0]![1], { devcontainer: file, seedPath: directory })
      assert.strictEqual(workspace.environment, "devcontainer-built")
      person.grants = false
      fs.writeFileSync(file, "{ \"image\": \"quay.io/a/b:2\" }")
      yield* up()
      // Another registry may belong to anybody.
      fs.writeFileSync(file, "{ \"image\": \"evil.example/a/b:2\" }")
      assert.strictEqual((yield* show()).isGranted, false)
      assert.strictEqual((yield* Effect.flip(up())).code, "project_not_accepted")
      assert.deepStrictEqual(since(), [])
      write("devcontainer = \"other\"\n")
      const failure = yield* Effect.flip(up())
      assert.deepInclude(failure, { code: "project_file_invalid", key: "devcontainer" })
    }))

  it.effect.each([
    [".devcontainer", "devcontainer = true\n"],
    ["container", "devcontainer = \"container\"\n"]
  ])("a link %s that leads out of the project is no dev container", ([name, text]) =>
    Effect.gen(function*() {
      const elsewhere = folderWith({ "devcontainer.json": "{ \"image\": \"quay.io/a/b:1\" }" })
      const linked = project(text!)
      fs.symlinkSync(elsewhere, path.join(linked.directory, name!))
      linked.person.grants = true
      const failure = yield* Effect.flip(linked.up())
      assert.deepInclude(failure, { _tag: "ProjectFileInvalid", key: "devcontainer" })
      assert.deepStrictEqual(linked.since(), [])
    }))

  it.effect("uses the person's logins for images, builds and dev containers", () =>
    Effect.gen(function*() {
      const asked: Array<unknown> = []
      const files = ["environment = \"quay.io/team/app:1\"\n", "dockerfile = \"docker\"\n", "devcontainer = true\n"]
      for (const text of files) {
        const one = project(text)
        fs.writeFileSync(path.join(one.directory, ".devcontainer.json"), "{ \"image\": \"quay.io/a/b:1\" }")
        one.person.grants = true
        one.person.logins = { registryAuth: { "quay.io": "login" } }
        yield* one.up()
        const [name, { nextMemoryMib, registryAuth }] = one.payloads[0]!
        asked.push([name, registryAuth])
        // A full host refuses before the work, as a creation does.
        assert.strictEqual(nextMemoryMib, name === "create" ? undefined : 1024, name)
      }
      const login = { "quay.io": "login" }
      assert.deepStrictEqual(asked, [["env.pull", login], ["env.build", login], ["create", login]])
    }))

  it.effect("builds no Dockerfile that a link of the repository finds outside of the project", () =>
    Effect.gen(function*() {
      const linked = project("dockerfile = \"docker\"\n")
      fs.symlinkSync(os.homedir(), path.join(linked.directory, "docker"))
      linked.person.grants = true
      const failure = yield* Effect.flip(linked.up())
      assert.deepInclude(failure, {
        _tag: "ProjectFileInvalid",
        key: "dockerfile",
        detail: "docker leads out of the project"
      })
      assert.deepStrictEqual(linked.since(), [])
    }))
})

describe("what a project's file asks for", () => {
  const ASKING = "secrets = [\"NPM_TOKEN\"]\n[network]\nallow_hosts = [\"npm\"]\n"

  it.effect("is granted once, and again when it asks for more", () =>
    Effect.gen(function*() {
      const { asked, person, show, since, up, write } = project(ASKING)
      person.variables.set("NPM_TOKEN", "a-secret-value")
      const refused = yield* Effect.flip(up())
      assert.strictEqual(refused._tag, "ProjectNotAccepted")
      assert.include(refused.message, "  connections to npm\n")
      assert.include(refused.message, "pyro up --yes")
      assert.deepStrictEqual(since(), [])
      person.grants = true
      yield* up()
      assert.strictEqual((yield* show()).isGranted, true)
      person.grants = false
      asked.length = 0
      yield* up()
      assert.deepStrictEqual(asked, [])
      write(ASKING.replace("\"npm\"", "\"npm\", \"evil.example\""))
      assert.strictEqual((yield* Effect.flip(up()))._tag, "ProjectNotAccepted")
      // Less is granted, and the rest is forgotten.
      write("secrets = [\"NPM_TOKEN\"]\n")
      yield* up()
      write(ASKING)
      assert.strictEqual((yield* Effect.flip(up()))._tag, "ProjectNotAccepted")
      assert.strictEqual(asked.length, 2)
    }))

  it.effect("a use of a host's secret by commands changes no grant, and its value for commands is another one", () =>
    Effect.gen(function*() {
      const bound = "secrets = [\"NPM_TOKEN\"]\nsecret_http = [\"NPM_TOKEN@registry.npmjs.org\"]\n"
      const { asked, payloads, person, up, write } = project(bound)
      person.variables.set("NPM_TOKEN", "a-secret-value")
      person.grants = true
      yield* up()
      person.grants = false
      asked.length = 0
      /** What the requests since the last call say about commands. */
      const said = () =>
        payloads.splice(0).flatMap(([, payload]) => {
          const { secretCommands } = payload as { readonly secretCommands?: ReadonlyArray<string> }
          return secretCommands ?? []
        })
      assert.deepStrictEqual(said(), [])
      write(`${bound}[services.web]\ncommand = "x"\nsecrets = ["NPM_TOKEN"]\n`)
      yield* up()
      assert.deepStrictEqual([asked, said()], [[], []])
      write(`${bound}secret_commands = ["NPM_TOKEN"]\n`)
      assert.strictEqual((yield* Effect.flip(up()))._tag, "ProjectNotAccepted")
      write("secrets = [\"NPM_TOKEN\"]\n")
      assert.strictEqual((yield* Effect.flip(up()))._tag, "ProjectNotAccepted")
      assert.deepStrictEqual(said(), [])
      write(`${bound}secret_commands = ["NPM_TOKEN"]\n`)
      person.grants = true
      yield* up()
      assert.deepStrictEqual(said(), ["NPM_TOKEN"])
      // The file's present word replaces the earlier one.
      write(bound)
      yield* up()
      assert.deepInclude(payloads.at(-1)![1], { secretHttp: ["NPM_TOKEN@registry.npmjs.org"], secretCommands: [] })
    }))

  it.effect("trust in the host's certificates is granted with the network, and reaches the workspace", () =>
    Effect.gen(function*() {
      const { asked, payloads, person, up } = project(
        "[network]\nallow_hosts = [\"npm\"]\ntrust_host_certificates = true\n"
      )
      person.grants = true
      yield* up()
      assert.include(JSON.stringify(asked), "trust in the certificate authorities")
      assert.deepInclude(payloads[0]![1], { trustHostCertificates: true })
    }))

  it.effect("is remembered for the directory alone, and outside of it", () =>
    Effect.gen(function*() {
      const { directory, person, state, up } = project(ASKING)
      person.variables.set("NPM_TOKEN", "a-secret-value")
      person.grants = true
      yield* up()
      assert.deepStrictEqual(fs.readdirSync(directory), ["pyro.toml"])
      const kept = fs.readdirSync(path.join(state, "projects")).map((name) =>
        fs.readFileSync(path.join(state, "projects", name), "utf8")
      ).join("")
      assert.include(kept, "connections to npm")
      assert.notInclude(kept, "a-secret-value")
    }))

  it.effect("a secret without a value is named, and nothing is made", () =>
    Effect.gen(function*() {
      const { person, since, up } = project(ASKING)
      person.grants = true
      const missing = yield* Effect.flip(up())
      assert.deepInclude(missing, { _tag: "ProjectSecretMissing", names: ["NPM_TOKEN"] })
      assert.deepStrictEqual(since(), [])
    }))
})
