import * as Socket from "@effect/platform/Socket"
import { RpcClientError } from "@effect/rpc/RpcClientError"
import { Cause, Chunk } from "effect"
import { assert, describe, it } from "vitest"
import { ConnectionLost, failureOf } from "../../../src/sdk/session.ts"

describe("what a request failed with", () => {
  it("a write to a connection that has just ended fails as a lost connection", () => {
    const written = new Socket.SocketGenericError({ reason: "Write", cause: new Error("EPIPE") })
    assert.deepStrictEqual(Chunk.toReadonlyArray(Cause.failures(failureOf(Cause.die(written)))), [
      new ConnectionLost(true)
    ])
  })

  it.each(
    [
      ["cannot have been done without a connection", "Open", false],
      ["may have been done over an existing connection", "Read", true]
    ] as const
  )("a lost request %s", (_, reason, mayBeDone) => {
    const cause = new Socket.SocketGenericError({ reason, cause: new Error("ENOENT") })
    const failure = new RpcClientError({ reason: "Protocol", message: "Error in socket", cause })
    const failures = Cause.failures(failureOf(Cause.fail(failure)))
    assert.deepStrictEqual(Chunk.toReadonlyArray(failures), [new ConnectionLost(mayBeDone)])
  })

  it("a defect of a request stays a defect", () => {
    const defect = new Error("impossible")
    assert.deepStrictEqual(Chunk.toReadonlyArray(Cause.defects(failureOf(Cause.die(defect)))), [defect])
  })
})
