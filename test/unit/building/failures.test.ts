import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { buildFailed } from "../../../src/building/builder/build-failed.ts"
import { pullFailed } from "../../../src/building/registry/pull-failed.ts"
import { typedMessage } from "../../../src/contract/rows/next-steps.ts"
import type { PyroService } from "../../../src/contract/rows/Pyro.ts"

/** Workspaces whose builder asked for these connections, the newest last. */
const after = (...entries: ReadonlyArray<object>) =>
  ({ workspace: { network: { log: () => Effect.succeed({ entries }) } } }) as unknown as PyroService

const denied = { kind: "lookup", outcome: "denied", host: "layers.example.com", reason: "no rule allows the name" }
const away = {
  kind: "connection",
  outcome: "failed",
  host: "host.pyro.internal",
  port: 9,
  reason: "the host refused the connection"
}

const IMAGE = "registry.example/app:1"

const pull = (pyro: PyroService, kind: string, detail: string) =>
  Effect.flip(pullFailed(pyro, IMAGE, { user: undefined, mirrors: [] })("ws-1", { kind, detail }))

describe("a pull that the builder refused", () => {
  it.effect("a redirect that the network denied is no matter of a login", () =>
    Effect.gen(function*() {
      const refused = yield* pull(after(denied), "unauthorized", "fetching blob: status 403 (Forbidden)")
      assert.strictEqual(refused.reason, "policy")
      assert.include(typedMessage(refused), `pyro env pull ${IMAGE} --allow-host layers.example.com`)
    }))

  it.effect("a refusal of the registry stays one", () =>
    Effect.gen(function*() {
      const refused = yield* pull(after(away), "unauthorized", "fetching blob: denied")
      assert.strictEqual(refused.reason, "unauthorized")
      assert.include(refused.message, "docker login registry.example")
    }))

  it.effect("a registry that sends clients to a loopback is named as the cause", () =>
    Effect.gen(function*() {
      const refused = yield* pull(
        after(),
        "unreachable",
        "Get \"http://localhost:9/x\": dial tcp [::1]:9: connection refused"
      )
      assert.strictEqual(refused.reason, "server")
      assert.include(refused.message, "it sends clients to http://localhost:9")
    }))
})

describe("a build that the builder refused", () => {
  const build = (pyro: PyroService, kind: string, detail: string) =>
    Effect.flip(
      buildFailed(pyro, {
        reference: "app",
        registries: ["host.pyro.internal:9"],
        unknownImages: ["$BASE", "a\u001b"]
      })(
        "ws-1",
        { _tag: "Refused", kind, detail }
      )
    )

  it.effect("a base whose registry is away was not pulled, whatever the cache answered", () =>
    Effect.gen(function*() {
      const detail = "initializing source docker://localhost:9/x:1: pinging container registry: 502 Bad Gateway"
      const refused = yield* build(after(away), "dockerfile", detail)
      assert.deepInclude(refused, { code: "image_pull_failed", reason: "unreachable", image: "localhost:9/x:1" })
      assert.notInclude(refused.message, "502")
    }))

  it.effect("a step that fails by itself names hosts that the network denied, and images that only it knew", () =>
    Effect.gen(function*() {
      const refused = yield* build(after(away, denied), "dockerfile", "STEP 2/2: RUN x")
      const message = typedMessage(refused)
      assert.strictEqual(refused.code, "environment_build_failed")
      assert.include(message, "The network denied hosts. Allow those that you trust: --allow-host layers.example.com")
      assert.include(message, "Only the build knows these images: $BASE, a\\x1b.")
      assert.notInclude((yield* build(after(denied), "layer", "the entry 'x'")).message, "--allow-host")
    }))
})
