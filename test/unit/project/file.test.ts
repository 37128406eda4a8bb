import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { findProject, readProjectIn } from "../../../src/project/file.ts"
import { folderWith } from "./folder.ts"

const WHOLE = `name = "shop"
environment = "debian:12-build"
user = "agent"
cpus = 2
memory = "2G"
disk = 8192
pause_after = "30m"
ttl = "7d"
secrets = ["NPM_TOKEN"]
secret_http = ["NPM_TOKEN@registry.npmjs.org"]
ports = [5432, "8080:80"]
setup = ["npm ci", { run = "npm run seed", secrets = ["NPM_TOKEN"] }]

[env]
CI = "1"
__proto__x = "2"

[seed]
git = "full"
include_ignored = ["node_modules"]

[network]
allow_hosts = ["npm"]

[services.web]
command = "npm start"
ready_http = "http://localhost:3000/"
ready_timeout = "2m"
ports = [3000]

[services.worker]
command = ["node", "worker.js"]
restart = "always"
`

/** The definition of a pyro.toml, or the message of its error. */
const read = (text: string) =>
  Effect.suspend(() => {
    const folder = folderWith({ "pyro.toml": text })
    return Effect.match(readProjectIn(folder), {
      onSuccess: (file) => file?.definition,
      onFailure: ({ fact }) => fact.replace(folder, "")
    })
  })

describe("a project's file", () => {
  it.effect("says each thing with the units of the command line", () =>
    Effect.gen(function*() {
      const definition = yield* read(WHOLE)
      assert.deepInclude(definition, {
        name: "shop",
        memory: 2048,
        disk: 8192,
        pauseAfter: 1800,
        ttl: 604_800,
        ports: ["5432", "8080:80"],
        setup: ["npm ci", { run: "npm run seed", secrets: ["NPM_TOKEN"] }]
      })
      const { services = {} } = definition as { readonly services?: Readonly<Record<string, object>> }
      assert.deepStrictEqual(Object.keys(services), ["web", "worker"])
      assert.deepInclude(services["web"], { readyTimeout: 120, ports: ["3000"] })
    }))

  it.effect("is refused with the line, the key and the nearest name", () =>
    Effect.gen(function*() {
      for (
        const [text, message] of [
          ["a = [\n", "/pyro.toml:2: it is no TOML"],
          ["\n\nmemmory = 2\n", "/pyro.toml:3: memmory: there is no such key. Did you mean memory?"],
          [
            "[services.web]\ncommand = \"x\"\nready_tpc = 3\n",
            "/pyro.toml:3: services.web.ready_tpc: there is no such key"
          ],
          [
            "[services.web]\nready_tcp = 3\n",
            "services.web.command is missing, and debian:12 has no command of its own"
          ],
          ["[services.web]\ncommand = 3\n", "/pyro.toml:2: services.web.command: must be a shell script"],
          ["memory = \"2X\"\n", "/pyro.toml:1: memory: \"2X\" must be MiB"],
          ["memory = 12\n", "/pyro.toml:1: memory: must be 128 to"],
          ["pause_after = true\n", "/pyro.toml:1: pause_after: must be a number"],
          ["ports = [\"0.0.0.0:80\"]\n", "/pyro.toml:1: ports.0: must be [HOST_PORT:]GUEST_PORT"],
          ["dockerfile = \"../other\"\n", "/pyro.toml:1: dockerfile: must be a path beneath"],
          ["dockerfile = \"/etc\"\n", "/pyro.toml:1: dockerfile: must be a path beneath"],
          [
            "dockerfile = \".\"\nenvironment = \"debian:12\"\n",
            "environment, dockerfile and devcontainer cannot be combined"
          ],
          ["dockerfile = \".\"\ndevcontainer = true\n", "environment, dockerfile and devcontainer cannot be combined"],
          ["devcontainer = false\n", "/pyro.toml:1: devcontainer: must be true, or a path beneath"],
          ["devcontainer = \"../x\"\n", "/pyro.toml:1: devcontainer: must be"],
          ["[build]\ntarget = \"x\"\n", "build needs dockerfile"],
          ["secrets = [\"a b\"]\n", "/pyro.toml:1: secrets.0: must be 1 to 64 letters"],
          ["secret_commands = [\"KEY\"]\n", "secret_commands: KEY is not in secrets"],
          ["secret_http = [\"KEY@api.example.com\"]\n", "secret_http: KEY is not in secrets"],
          ["[services.web]\ncommand = \"x\"\nsecrets = [\"KEY\"]\n", "services.web.secrets: KEY is not in secrets"],
          ["setup = [{ run = \"x\", secrets = [\"KEY\"] }]\n", "setup: KEY is not in secrets"],
          ["[services.\"a b\"]\ncommand = \"x\"\n", "names of services must be"],
          ["[env]\n\"A=B\" = \"1\"\n", "env: must be NAME=VALUE"],
          ["[network]\ntrust_host_certificate = true\n", "Did you mean trust_host_certificates?"],
          [
            "[network]\ntrust_host_certificates = true\n",
            "/pyro.toml:1: network: trust_host_certificates needs a network"
          ],
          ["[network]\npolicy = \"off\"\nallow_hosts = [\"npm\"]\ntrust_host_certificates = true\n", "needs a network"],
          [
            "[network]\nallow_hosts = [\"a.example but not to *\"]\n",
            "network: allow_hosts: \"a.example but not to *\" must be one"
          ],
          [
            "[network]\nallow_hosts = [\"npm\"]\ndeny_hosts = [\"x, at night\"]\n",
            "deny_hosts: \"x, at night\" must be one rule"
          ],
          ["[network]\nallow_hosts = [\"g\u0456thub.com\"]\n", "must be one rule, in ASCII"],
          ["[network]\nallow_ips = [\"10.0.0.1\u00a0\"]\n", "allow_ips: "],
          ["[network]\nallow_hosts = [\"HOST.pyro.internal.\"]\n", "HOST.pyro.internal. is this host; name the port"],
          [
            "dockerfile = \".\"\n[build]\nallow_hosts = [\"npm at night\"]\n",
            "build: allow_hosts: \"npm at night\" must be"
          ],
          ["__proto__ = 1\n", "it is no TOML"],
          [`env = { A = "${"x".repeat(65_536)}" }\n`, "it has more than 64 KiB"],
          [`a = ${"[".repeat(40)}${"]".repeat(40)}\n`, "it is no TOML"]
        ] as const
      ) assert.include(yield* read(text), message, text.slice(0, 80))
    }))

  it.effect("is a part of a package.json, if there is no pyro.toml", () =>
    Effect.gen(function*() {
      const json = JSON.stringify({ name: "x", pyro: { memory: "1G" } })
      const folder = folderWith({ "package.json": json })
      assert.deepInclude(yield* readProjectIn(folder), { path: path.join(folder, "package.json") })
      fs.writeFileSync(path.join(folder, "pyro.toml"), "memory = 512\n")
      assert.strictEqual((yield* readProjectIn(folder))?.definition.memory, 512)
      const wrong = folderWith({ "package.json": JSON.stringify({ pyro: { memmory: 1 } }) })
      assert.include(
        (yield* Effect.flip(readProjectIn(wrong))).fact,
        "package.json: pyro.memmory: there is no such key"
      )
      for (const text of ["{", "[]", "{\"name\":\"x\"}"]) {
        assert.isUndefined(yield* readProjectIn(folderWith({ "package.json": text })), text)
      }
    }))

  it.effect("is no link and no pipe", () =>
    Effect.gen(function*() {
      const folder = folderWith({ "other.toml": "memory = 512\n" })
      const file = path.join(folder, "pyro.toml")
      fs.symlinkSync("other.toml", file)
      assert.include((yield* Effect.flip(readProjectIn(folder))).fact, "it is a symbolic link")
      fs.rmSync(file)
      execFileSync("mkfifo", [file])
      assert.include((yield* Effect.flip(readProjectIn(folder))).fact, "it is no regular file")
    }))

  it.effect("is the nearest one, and no farther than the git work tree", () =>
    Effect.gen(function*() {
      const folder = folderWith({
        "pyro.toml": "memory = 512\n",
        "repo/.git/HEAD": "",
        "repo/web/src/a.js": "",
        "repo/web/package.json": "{}"
      })
      const inside = path.join(folder, "repo/web/src")
      const missing = yield* Effect.flip(findProject(undefined, inside))
      assert.strictEqual(missing._tag, "ProjectFileMissing")
      fs.writeFileSync(path.join(folder, "repo/pyro.toml"), "memory = 256\n")
      assert.strictEqual((yield* findProject(undefined, inside)).directory, path.join(folder, "repo"))
      const named = yield* Effect.flip(findProject(inside, folder))
      assert.strictEqual(named._tag, "ProjectFileMissing")
      const home = yield* Effect.flip(findProject("/", folder))
      assert.strictEqual(home._tag, "InvalidRequest")
    }))

  it.effect("is refused if its bytes are no text", () =>
    Effect.gen(function*() {
      const latin1 = (text: string) => Buffer.from(text, "latin1")
      for (
        const [file, bytes] of [["pyro.toml", latin1("name = \"caf\xe9\"")], [
          "package.json",
          latin1("{\"pyro\":{\"name\":\"caf\xe9\"}}")
        ]] as const
      ) {
        const folder = folderWith({})
        fs.writeFileSync(path.join(folder, file), bytes)
        const { fact } = yield* Effect.flip(readProjectIn(folder))
        assert.strictEqual(fact, `${path.join(folder, file)}: it is not UTF-8`)
      }
      const folder = folderWith({})
      fs.writeFileSync(path.join(folder, "package.json"), latin1("{\"name\":\"caf\xe9\"}"))
      assert.isUndefined(yield* readProjectIn(folder))
      const marked = folderWith({ "package.json": "\uFEFF{\"pyro\":{\"environment\":\"debian:12\"}}" })
      assert.isDefined(yield* readProjectIn(marked))
    }))
})
