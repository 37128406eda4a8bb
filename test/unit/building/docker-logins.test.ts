import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, beforeEach } from "vitest"
import { loginsFor } from "../../../src/lib/recipe/docker-logins.ts"
import { temporaryFolder } from "../../support/pyro-cli.ts"

const { folder, remove } = temporaryFolder("pyro-logins-")
afterAll(remove)

const base64 = (text: string) => Buffer.from(text).toString("base64")

beforeEach(() => {
  fs.rmSync(folder, { recursive: true, force: true })
  fs.mkdirSync(path.join(folder, "bin"), { recursive: true })
  process.env["DOCKER_CONFIG"] = folder
  process.env["XDG_RUNTIME_DIR"] = folder
  delete process.env["REGISTRY_AUTH_FILE"]
})

const put = (name: string, content: unknown) => {
  const file = path.join(folder, name)
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(file, JSON.stringify(content))
  return file
}

const helper = (name: string, script: string) => {
  const file = path.join(folder, "bin", `docker-credential-${name}`)
  fs.writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  process.env["PATH"] = `${path.join(folder, "bin")}:${process.env["PATH"]}`
}

const found = (...registries: ReadonlyArray<string>) =>
  Effect.map(loginsFor(registries), ({ registryAuth, unusable }) => ({
    logins: Object.entries(registryAuth).map(([registry, login]) => `${registry} ${Redacted.value(login)}`),
    unusable: unusable.map(({ reason, registry }) => `${registry} ${reason}`)
  }))

describe("logins of docker login and podman login", () => {
  it.effect("those of the asked registries alone are read, under each of their names", () =>
    Effect.gen(function*() {
      put("config.json", {
        auths: {
          "https://index.docker.io/v1/": { auth: base64("hub:pass:word-1") },
          "registry.example.com:5000": { username: "one", password: "password-2" },
          "https://ghcr.io": { auth: base64("two:password-3") },
          "other.example.com": { auth: base64("x:password-4") }
        },
        HttpHeaders: { "User-Agent": "x" }
      })
      assert.deepStrictEqual(yield* found("docker.io", "registry.example.com:5000", "ghcr.io", "quay.io"), {
        logins: ["docker.io hub:pass:word-1", "registry.example.com:5000 one:password-2", "ghcr.io two:password-3"],
        unusable: []
      })
    }))

  it.effect("podman's file comes first, and REGISTRY_AUTH_FILE in its place", () =>
    Effect.gen(function*() {
      put("config.json", { auths: { "quay.io": { auth: base64("docker:password") } } })
      put("containers/auth.json", { auths: { "quay.io": { auth: base64("podman:password") } } })
      assert.deepStrictEqual((yield* found("quay.io")).logins, ["quay.io podman:password"])
      process.env["REGISTRY_AUTH_FILE"] = put("own.json", { auths: { "quay.io": { auth: base64("own:password") } } })
      assert.deepStrictEqual((yield* found("quay.io")).logins, ["quay.io own:password"])
    }))

  it.effect("a helper is asked for the name that Docker uses", () =>
    Effect.gen(function*() {
      helper("fake", `read name; printf '{"ServerURL":"%s","Username":"h","Secret":"of-%s"}' "$name" "$name"`)
      put("config.json", { credHelpers: { "quay.io": "fake" }, auths: { "quay.io": {} } })
      assert.deepStrictEqual((yield* found("quay.io", "docker.io")).logins, ["quay.io h:of-quay.io"])
      put("config.json", { credsStore: "fake" })
      assert.deepStrictEqual((yield* found("docker.io")).logins, ["docker.io h:of-https://index.docker.io/v1/"])
    }))

  it.effect("what pyro cannot use is named with the reason, and no value", () =>
    Effect.gen(function*() {
      helper("token", `printf '{"ServerURL":"x","Username":"<token>","Secret":"refresh-token-value"}'`)
      helper("odd", "echo secret-in-an-odd-answer")
      helper("none", "echo credentials not found; exit 1")
      put("config.json", {
        credHelpers: { "a.io": "token", "b.io": "odd", "c.io": "absent", "d.io": "none", "e.io": "../x" },
        auths: { "f.io": { identitytoken: "refresh-token-value" }, "g.io": { auth: base64("u:short") } }
      })
      const { logins, unusable } = yield* found("a.io", "b.io", "c.io", "d.io", "e.io", "f.io", "g.io")
      assert.deepStrictEqual(logins, [])
      assert.deepStrictEqual(unusable.map((text) => text.slice(0, 4)), ["a.io", "b.io", "c.io", "e.io", "f.io", "g.io"])
      for (const text of unusable) assert.notMatch(text, /refresh-token-value|secret-in|short$/)
      assert.match(unusable[0]!, /identity token/)
      assert.match(unusable[2]!, /docker-credential-absent, which is not on PATH/)
    }))

  it.effect("no file, and a file that is no JSON, have no logins", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* found("quay.io"), { logins: [], unusable: [] })
      fs.writeFileSync(path.join(folder, "config.json"), "{")
      assert.deepStrictEqual(yield* found("quay.io"), { logins: [], unusable: [] })
    }))
})
