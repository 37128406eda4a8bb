import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, beforeEach } from "vitest"
import { withLogins } from "../../../src/cli/perform/logins.ts"
import { Terminal } from "../../../src/cli/terminal/Terminal.ts"
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
    Effect.provideService(Terminal, {} as never),
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
