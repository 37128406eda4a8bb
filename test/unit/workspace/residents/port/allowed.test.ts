import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Schema } from "effect"
import { type NetworkCeiling, readCeiling } from "../../../../../src/contract/rows/network-ceiling.ts"
import type { NetworkInfo } from "../../../../../src/contract/rows/network-fields.ts"
import { portText, readPort } from "../../../../../src/contract/rows/workspace-port.ts"
import { callerProject } from "../../../../../src/contract/wire/caller-project.ts"
import { demandAllowed } from "../../../../../src/workspace/residents/port/publish.ts"

const network = (networkPolicy: NetworkInfo["networkPolicy"]) => ({
  info: () => ({
    networkPolicy,
    allowHosts: [],
    denyHosts: [],
    allowIps: [],
    open: 0,
    allowed: 0,
    denied: 0,
    failed: 0,
    bytesOut: 0,
    bytesIn: 0
  })
})

/** The refusal of a publication, asked by a model under a ceiling, or by a person. */
const refusal = (ceiling: NetworkCeiling | undefined, policy: Parameters<typeof network>[0], byModel = false) =>
  demandAllowed({ guestPort: 3000, workspace: "fix", byModel }, network(policy)).pipe(
    Effect.provideService(
      callerProject,
      ceiling === undefined ? undefined : { project: "", all: false, networkCeiling: ceiling }
    ),
    Effect.result,
    Effect.map((result) => Result.isFailure(result) ? result.failure.reason : undefined)
  )

describe("who may publish a port", () => {
  it.effect("a person may publish in every workspace", () =>
    Effect.gen(function*() {
      for (const policy of ["off", "egress"] as const) {
        assert.isUndefined(yield* refusal(undefined, policy))
      }
    }))

  it.effect("a model needs the ceiling of its server and the policy of the workspace", () =>
    Effect.gen(function*() {
      const ports = readCeiling("egress+published-ports:npm")!
      assert.strictEqual(yield* refusal(readCeiling("off"), "egress+published-ports"), "ceiling")
      assert.strictEqual(yield* refusal(readCeiling("egress"), "egress+published-ports"), "ceiling")
      for (const policy of ["off", "egress"] as const) {
        assert.strictEqual(yield* refusal(ports, policy), "policy")
      }
      assert.isUndefined(yield* refusal(ports, "egress+published-ports"))
    }))

  it.effect("a port that a model asked for before needs the policy, also without a caller", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* refusal(undefined, "egress", true), "policy")
      assert.isUndefined(yield* refusal(undefined, "egress+published-ports", true))
    }))
})

describe("a port to publish", () => {
  it("a port is [HOST_PORT:]GUEST_PORT, from 1 to 65535", () => {
    assert.deepStrictEqual(readPort("3000"), { guestPort: 3000 })
    assert.deepStrictEqual(readPort("8080:3000"), { guestPort: 3000, hostPort: 8080 })
    // As in docker: the host chooses.
    assert.deepStrictEqual(readPort("0:3000"), { guestPort: 3000 })
    for (
      const text of [
        "[::1]:80:80",
        "::1:80:80",
        "::",
        "",
        "0",
        "65536",
        "x",
        "1:2:3",
        "127.0.0.1:80:80",
        " 80",
        "80 ",
        "-1",
        "1e3",
        "8080:"
      ]
    ) {
      assert.isUndefined(readPort(text), text)
      const refused = Schema.decodeUnknownResult(portText(""))(text)
      assert.match(String(refused), /must be \[HOST_PORT:\]GUEST_PORT.*127\.0\.0\.1, and takes no other address/)
    }
  })
})
