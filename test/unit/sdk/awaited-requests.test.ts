import { Effect } from "effect"
import { assert, describe, it } from "vitest"
import { AwaitedRequests } from "../../../src/sdk/connection/protocol.ts"

/** A connection that notes whether it keeps the program alive. */
const connection = () => {
  const held = { isReferenced: true }
  return {
    held,
    socket: {
      ref: () => {
        held.isReferenced = true
      },
      unref: () => {
        held.isReferenced = false
      }
    }
  }
}

describe("requests that keep a program alive", () => {
  it("a connection keeps the program alive while a request is awaited", () => {
    const { held, socket } = connection()
    const requests = new AwaitedRequests()
    requests.connected(socket)
    assert.isFalse(held.isReferenced)
    requests.begin("a")
    requests.begin("b")
    requests.end("a")
    assert.isTrue(held.isReferenced)
    requests.end("b")
    assert.isFalse(held.isReferenced)
  })

  it("a request without a waiting caller does not keep the program alive, until a caller waits", () => {
    const { held, socket } = connection()
    const requests = new AwaitedRequests()
    requests.connected(socket)
    requests.begin("a")
    requests.begin("b")
    requests.toBackground("a")
    assert.isTrue(held.isReferenced)
    requests.toBackground("b")
    assert.isFalse(held.isReferenced)
    requests.toForeground("a")
    assert.isTrue(held.isReferenced)
    requests.end("a")
    assert.isFalse(held.isReferenced)
  })

  it("the wait for the end of a request keeps the program alive", () => {
    const { held, socket } = connection()
    const requests = new AwaitedRequests()
    requests.connected(socket)
    requests.begin("a")
    requests.toBackground("a")
    void waitFor(requests)
    assert.isTrue(held.isReferenced)
    requests.end("a")
    assert.isFalse(held.isReferenced)
  })

  it("a request that has ended is in no background", () => {
    const { held, socket } = connection()
    const requests = new AwaitedRequests()
    requests.connected(socket)
    requests.begin("a")
    requests.end("a")
    requests.toBackground("a")
    requests.begin("b")
    assert.isTrue(held.isReferenced)
  })
})

const waitFor = (requests: AwaitedRequests) => Effect.runPromise(requests.untilEnd("a"))
