import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TransferGate } from "../../../../src/lib/guest-channel/streams/transfer-gate.ts"
import { Violation } from "../../../../src/lib/guest-channel/wire/violation.ts"
import { Settled } from "../../../../src/system/waits/signal.ts"
import { lapsed } from "../../../support/until.ts"

const AHEAD = 196_608

let now = 0
let changes = 0
let gate = new TransferGate(() => {}, () => now)
/** What `Settled` is for a stream: the request ends once. */
const request = () => {
  const ending = new Settled<void, never>()
  gate.requested(ending)
  return () => ending.send(Effect.void)
}
/** Transfers of so many bytes, which the agent takes at once. */
const pass = (bytes: number) => {
  total += bytes
  gate.sent(bytes)
  gate.taken(total)
}
let total = 0

beforeEach(() => {
  now = changes = total = 0
  gate = new TransferGate(() => changes++, () => now)
  gate.restart()
})

/** A request that meets a transfer, and has ended. */
const meet = () => {
  assert.isTrue(gate.isOpen)
  request()()
}

describe("how far transfers go ahead of the guest", () => {
  it("transfers that a request has met wait while the guest has not taken 192 KiB, and go on with its report", () => {
    meet()
    pass(1)
    gate.sent(AHEAD - 1)
    assert.isTrue(gate.isOpen)
    gate.sent(1)
    assert.isFalse(gate.isOpen)
    const before = changes
    gate.taken(2)
    assert.isTrue(gate.isOpen)
    assert.strictEqual(changes, before + 1)
  })

  it("transfers fill all buffers again 30 s after the last request that met one", () => {
    meet()
    pass(1)
    now = 50
    request()()
    gate.sent(10 * AHEAD)
    now = 30_049
    assert.isFalse(gate.isOpen)
    now = 30_050
    assert.isTrue(gate.isOpen)
  })

  it("transfers fill all buffers if no request meets them", () => {
    request()()
    pass(1)
    gate.sent(10 * AHEAD)
    assert.isTrue(gate.isOpen)
    now = 100
    request()()
    assert.isTrue(gate.isOpen)
  })

  it("transfers to an older agent, which reports nothing, go on", () => {
    meet()
    gate.sent(10 * AHEAD)
    assert.isTrue(gate.isOpen)
  })

  it("a new hello begins a new count", () => {
    meet()
    pass(10)
    gate.sent(AHEAD)
    assert.isFalse(gate.isOpen)
    gate.restart()
    assert.isTrue(gate.isOpen)
    gate.sent(5)
    gate.taken(5)
  })

  it("a report of more than was sent, or of less than before, is a violation", () => {
    gate.sent(100)
    gate.taken(60)
    assert.throws(() => gate.taken(101), Violation)
    assert.throws(() => gate.taken(59), Violation)
    gate.taken(60)
  })
})

describe("how long transfers wait for a request", () => {
  beforeEach(() => pass(AHEAD))

  it("transfers wait until the request has ended", () => {
    const end = request()
    assert.isFalse(gate.isOpen)
    now = 5
    const before = changes
    end()
    assert.strictEqual(changes, before + 1)
    assert.isTrue(gate.isOpen)
  })

  it("transfers wait for one request 20 ms at most", () => {
    request()
    assert.isFalse(gate.isOpen)
    now = 20
    assert.isTrue(gate.isOpen)
  })

  it("a wait ends by itself", async () => {
    request()
    assert.isFalse(gate.isOpen)
    const before = changes
    const since = performance.now()
    while (changes === before && performance.now() - since < 5_000) await lapsed(1)
    assert.strictEqual(changes, before + 1)
    assert.isTrue(gate.isOpen)
  })

  it("requests one after the other leave transfers 192 KiB every 20 ms", () => {
    let passed = 0
    for (; now < 1_000; now++) {
      request()
      while (gate.isOpen) {
        pass(32_768)
        passed += 32_768
      }
    }
    assert.strictEqual(passed, 49 * AHEAD)
  })

  it("a request that has run for 20 ms does not delay transfers that begin later", () => {
    request()
    now = 20
    assert.isTrue(gate.isOpen)
  })

  it("what sends little does not wait", () => {
    gate.restart()
    total = 0
    pass(AHEAD - 1)
    request()
    assert.isTrue(gate.isOpen)
    pass(1)
    assert.isFalse(gate.isOpen)
  })

  it("nothing waits after the end", () => {
    request()
    assert.isFalse(gate.isOpen)
    gate.close()
    assert.isTrue(gate.isOpen)
  })
})
