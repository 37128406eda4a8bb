import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Stream } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, beforeEach } from "vitest"
import { withLogins } from "../../../src/cli/perform/logins.ts"
import { allowedByPerson } from "../../../src/cli/perform/registry-question.ts"
import { Terminal } from "../../../src/cli/terminal/Terminal.ts"
import { RegistryNotAllowed } from "../../../src/contract/errors/errors.ts"
import { option } from "../../../src/contract/errors/next-step.ts"
import type { OperationName } from "../../../src/contract/rows/operations.ts"
import { temporaryFolder } from "../../support/pyro-cli.ts"

const { folder, remove } = temporaryFolder("pyro-cli-logins-")
afterAll(remove)

const put = (name: string, text: string) => {
  const file = path.join(folder, name)
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(file, text)
}

beforeEach(() => {
  fs.rmSync(folder, { recursive: true, force: true })
  const auth = (user: string) => ({ auth: Buffer.from(`${user}:password`).toString("base64") })
  const auths = { "quay.io": auth("quay"), "ghcr.io": auth("ghcr"), "mirror.example.com": auth("mirror") }
  put("config.json", JSON.stringify({ auths }))
  process.env["DOCKER_CONFIG"] = folder
  process.env["XDG_RUNTIME_DIR"] = folder
  delete process.env["REGISTRY_AUTH_FILE"]
  delete process.env["PYRO_REGISTRY_MIRRORS"]
})

/** Users of the logins that a request gets. */
const users = (operation: OperationName, payload: Readonly<Record<string, unknown>>) =>
  withLogins(operation, payload).pipe(
    Effect.provideService(Terminal, { stdinIsTerminal: false } as never),
    Effect.map((request) =>
      Object.entries((request as { readonly registryAuth?: Record<string, Redacted.Redacted> }).registryAuth ?? {})
        .map(([registry, login]) => `${registry} ${Redacted.value(login).split(":")[0]}`)
    )
  )

describe("the logins of a person's own command line", () => {
  it.effect("serve the image of a pull, and its mirrors", () =>
    Effect.gen(function*() {
      const pull = users("env.pull", { environment: "quay.io/team/app:1" })
      assert.deepStrictEqual(yield* pull, ["quay.io quay"])
      process.env["PYRO_REGISTRY_MIRRORS"] = "quay.io=localhost:5000,mirror.example.com/quay"
      assert.deepStrictEqual(yield* pull, ["quay.io quay", "mirror.example.com mirror"])
    }))

  it.effect("serve the bases of a Dockerfile, and what a dev container names", () =>
    Effect.gen(function*() {
      put("app/Dockerfile", "FROM quay.io/team/app:1\n")
      assert.deepStrictEqual(yield* users("env.build", { dockerfile: path.join(folder, "app") }), ["quay.io quay"])
      const features = { "ghcr.io/devcontainers/features/node:1": {} }
      put("dev/.devcontainer.json", JSON.stringify({ image: "quay.io/team/${localEnv:APP}:1", features }))
      for (const operation of ["env.build", "workspace.create"] as const) {
        const payload = { devcontainer: path.join(folder, "dev"), env: { APP: "app" } }
        assert.deepStrictEqual(yield* users(operation, payload), ["quay.io quay", "ghcr.io ghcr"])
      }
    }))

  it.effect("serve nothing else, and no file that cannot be read", () =>
    Effect.gen(function*() {
      put("dev/.devcontainer.json", "{")
      assert.deepStrictEqual(yield* users("workspace.create", { devcontainer: path.join(folder, "dev") }), [])
      assert.deepStrictEqual(yield* users("workspace.create", { environment: "quay.io/team/app:1" }), [])
      assert.deepStrictEqual(yield* users("run", { environment: "quay.io/team/app:1" }), [])
    }))
})

describe("a registry that a file names and only the person can allow", () => {
  it.effect("gets a login with the person's word alone", () =>
    Effect.gen(function*() {
      put("app/Dockerfile", "FROM quay.io/a\nCOPY --from=mirror.example.com/b x y\n")
      const dockerfile = path.join(folder, "app")
      assert.deepStrictEqual(yield* users("env.build", { dockerfile }), ["quay.io quay"])
      const allowed = ["quay.io quay", "mirror.example.com mirror"]
      assert.deepStrictEqual(yield* users("env.build", { dockerfile, allowHosts: ["mirror.example.com"] }), allowed)
    }))

  const refused = (field?: string, word = "x") =>
    new RegistryNotAllowed({
      path: "/app/a\n\u001b[2KDockerfile",
      registry: "x",
      reason: "unknown",
      ...(field === undefined ? {} : { next: [option("Allow it if you trust it", field, [word])] })
    })

  const answered = (answer: string, allowing: string | undefined, payload: object = {}, isTerminal = true) => {
    const [field, word] = allowing?.split(" ") ?? []
    const shown: Array<string> = []
    const terminal = {
      stdinIsTerminal: isTerminal,
      stderrIsTerminal: true,
      stdin: Stream.make(Buffer.from(`${answer}\n`)),
      writeStderr: (text: string) => Effect.sync(() => void shown.push(text))
    }
    return Effect.map(
      Effect.provideService(allowedByPerson(payload, refused(field, word)), Terminal, terminal as never),
      (request) => ({ request, shown: shown.join("") })
    )
  }

  it.effect("is asked about on a terminal, and the answer is the option of the command", () =>
    Effect.gen(function*() {
      const { request, shown } = yield* answered("y", "allow_hosts localhost:22", { allowHosts: ["npm"] })
      assert.deepStrictEqual(request, { allowHosts: ["npm", "localhost:22"] })
      assert.match(shown, /names port 22 of this computer as a registry\..*\[y\/N\] $/)
      assert.notMatch(shown, /[\n\u001b]/)
      assert.deepStrictEqual((yield* answered("yes", "allow_registries evil.example")).request, {
        allowRegistries: ["evil.example"]
      })
    }))

  it.effect("stays refused without a yes, without a terminal, and where no option allows it", () =>
    Effect.gen(function*() {
      for (const answer of ["n", "", "yep"]) {
        assert.isUndefined((yield* answered(answer, "allow_hosts evil.example")).request)
      }
      assert.deepStrictEqual(yield* answered("y", "allow_hosts evil.example", {}, false), {
        request: undefined,
        shown: ""
      })
      assert.deepStrictEqual(yield* answered("y", undefined), { request: undefined, shown: "" })
    }))
})
