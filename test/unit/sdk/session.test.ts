import { Cause } from "effect"
import { RpcClientError } from "effect/rpc/RpcClientError"
import * as Socket from "effect/socket/Socket"
import { assert, describe, it } from "vitest"
import { ConnectionLost, failureOf } from "../../../src/sdk/connection/failures.ts"

describe("what a request failed with", () => {
  it.each(
    [
      [
        "cannot have been done without a connection",
        new Socket.SocketOpenError({ kind: "Unknown", cause: new Error("ENOENT") }),
        false
      ],
      [
        "may have been done over an existing connection",
        new Socket.SocketReadError({ cause: new Error("ENOENT") }),
        true
      ],
      ["may have been done if its write failed", new Socket.SocketWriteError({ cause: new Error("EPIPE") }), true]
    ] as const
  )("a lost request %s", (_, reason, mayBeDone) => {
    const failure = failureOf("run", Cause.fail(new RpcClientError({ reason })))
    assert.deepStrictEqual(Cause.squash(failure), new ConnectionLost({ mayBeDone }))
  })

  it("a defect of a request stays a defect", () => {
    const defect = new Error("impossible")
    assert.deepStrictEqual(failureOf("run", Cause.die(defect)), Cause.die(defect))
  })

  it("a request to a connection that has just ended is lost, and may have been done", () => {
    const reason = new Socket.SocketWriteError({ cause: new Error("EPIPE") })
    const failure = failureOf("run", Cause.die(new Socket.SocketError({ reason })))
    assert.deepStrictEqual(Cause.squash(failure), new ConnectionLost({ mayBeDone: true }))
  })
})
