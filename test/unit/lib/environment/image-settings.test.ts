import { Option, Schema } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { configOf } from "../../../../src/lib/environment/image-export.ts"
import { ImageConfig } from "../../../../src/lib/environment/model/image-config.ts"
import { temporaryFolder } from "../../../support/pyro-cli.ts"

const modules = JSON.stringify(path.join(import.meta.dirname, "../../../../rootfs/image"))

/** What the builder says of an image's `config`. */
const settingsOf = (config: object, root = "/nowhere"): unknown =>
  JSON.parse(execFileSync("python3", [
    "-Bc",
    `import json, sys
sys.path.insert(0, ${modules})
from pyro_image.settings import settings
print(json.dumps(settings(json.load(sys.stdin), ${JSON.stringify(root)}, None)))`
  ], { input: JSON.stringify(config), encoding: "utf8" }))

const decoded = (config: object) => Schema.decodeUnknownOption(ImageConfig)(settingsOf(config))

const whole = {
  Env: ["A=1"],
  User: "12:34",
  WorkingDir: "/app",
  Entrypoint: ["/serve"],
  Cmd: ["--fast"],
  ExposedPorts: { "53/udp": {}, "8080/tcp": {} },
  StopSignal: "SIGQUIT",
  Labels: { "org.example.version": "1", "__proto__x": "y" },
  Healthcheck: {
    Test: ["CMD", "/serve", "--check"],
    Interval: 2_000_000_000,
    Timeout: 3_000_000_000,
    StartPeriod: 4_000_000_000,
    StartInterval: 500_000_000,
    Retries: 5
  },
  Shell: ["/bin/bash", "-c"],
  Volumes: { "/data": {} }
}

describe("what an image says of its programs", () => {
  it("reaches the host, and an export says the same", () => {
    const config = Option.getOrThrow(decoded(whole))
    assert.deepStrictEqual(config.healthCheck, {
      test: ["CMD", "/serve", "--check"],
      intervalMs: 2000,
      timeoutMs: 3000,
      startPeriodMs: 4000,
      startIntervalMs: 500,
      retries: 5
    })
    const exported = configOf({ oci: { digest: "", config } })
    assert.deepStrictEqual(JSON.parse(JSON.stringify(exported)), whole)
  })

  it("is little for an image that says little, and needs nothing of an older pyro's", () => {
    const little = settingsOf({})
    assert.deepStrictEqual(little, { env: [], entrypoint: [], command: [], exposedPorts: [] })
    assert.isTrue(Option.isSome(decoded({})))
  })

  describe("of its user", () => {
    const { folder: root, remove } = temporaryFolder("pyro-image-users-")
    afterAll(remove)
    fs.mkdirSync(path.join(root, "etc"))
    fs.writeFileSync(
      path.join(root, "etc/passwd"),
      "root:x:0:0::/:/bin/sh\napp:x:12:34::/:/bin/sh\nodd name:x:5:6::/:/x\n"
    )
    fs.writeFileSync(path.join(root, "etc/group"), "staff:x:50:\ndocker:x:990:app\n")

    it.each([
      ["app", { user: "12:34", account: "app" }],
      ["12", { user: "12:34", account: "12" }],
      ["app:staff", { user: "12:50" }],
      ["12:34", { user: "12:34" }],
      ["77", { user: "77:0" }],
      ["odd name", { user: "5:6" }],
      ["root", { user: "0:0" }]
    ])("%s is %j: the guest finds the groups of a name without a group", (User, found) => {
      assert.deepStrictEqual(settingsOf({ User }, root), { ...(settingsOf({}) as object), ...found })
    })

    it("an export names it so that its groups come along", () => {
      const config = Option.getOrThrow(Schema.decodeUnknownOption(ImageConfig)(settingsOf({ User: "app" }, root)))
      assert.strictEqual(configOf({ oci: { digest: "", config } })["User"], "app")
    })
  })

  it.each([
    [{ Test: ["NONE"] }],
    [{ Test: [] }],
    [{ Test: ["CMD"] }],
    [{ Test: ["OTHER", "x"] }],
    [{ Interval: 1_000_000_000 }]
  ])("the health check %j is none", (Healthcheck) => {
    assert.notProperty(settingsOf({ Healthcheck }), "healthCheck")
  })

  it("times of a health check beyond a day are a day, and what is no number is left out", () => {
    const { healthCheck } = Option.getOrThrow(decoded({
      Healthcheck: { Test: ["CMD-SHELL", "x"], Interval: 10 ** 18, Timeout: -1, StartPeriod: "1s", Retries: 10 ** 9 }
    }))
    assert.deepStrictEqual(healthCheck, { test: ["CMD-SHELL", "x"], intervalMs: 86_400_000, retries: 1000 })
  })

  it("long labels and those beyond the first 64 are counted", () => {
    const Labels = Object.fromEntries([
      ["long", "x".repeat(1025)],
      ["odd", 7],
      ...Array.from({ length: 70 }, (_, at) => [`n${String(at).padStart(2, "0")}`, "v"] as const)
    ])
    const { labels = {}, labelsLeftOut } = Option.getOrThrow(decoded({ Labels }))
    assert.deepStrictEqual([Object.keys(labels).length, labels["n63"], labels["n64"], labelsLeftOut], [
      64,
      "v",
      undefined,
      8
    ])
  })

  it("a builder that says more than it may is not believed", () => {
    const base = { env: [], entrypoint: [], command: [], exposedPorts: [] }
    const many = Object.fromEntries(Array.from({ length: 65 }, (_, at) => [String(at), ""]))
    for (
      const lie of [
        { labels: many },
        { labels: { a: "x".repeat(1025) } },
        { healthCheck: { test: ["CMD", "x"], intervalMs: 86_400_001 } },
        { volumes: Array.from({ length: 65 }, () => "/x") }
      ]
    ) {
      assert.isTrue(
        Option.isNone(Schema.decodeUnknownOption(ImageConfig)({ ...base, ...lie })),
        JSON.stringify(lie).slice(0, 60)
      )
    }
  })
})
