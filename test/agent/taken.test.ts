import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { AgentMessage, encodeControl, FIRST_CALL, HelloFlag, HostMessage } from "../support/guest-wire.ts"
import { withConfinedAgent } from "./agent.ts"
import { openRawWith } from "./raw.ts"

/** Step of the agent's reports. */
const STEP = 131_072
/** Input of a stream that nobody opened, which the agent reads and drops. */
const { fields, kind } = HostMessage.DataIn
const frame = encodeControl(77, kind, fields, { offset: 0, data: Buffer.alloc(50_000) })

/** What the agent reports of 20 frames that a host sends after its hello. */
const reportsTo = (flags: number) =>
  Effect.gen(function*() {
    const raw = yield* openRawWith(flags)
    for (let count = 0; count < 20; count++) raw.write(frame)
    raw.send(HostMessage.Call, FIRST_CALL, { op: 4, fields: Buffer.alloc(0) })
    yield* raw.frameFor(AgentMessage.Result, FIRST_CALL)
    return raw.framesOf(AgentMessage.Taken).map(({ bytes }) => bytes)
  })

withConfinedAgent("what the agent has taken", (it) => {
  it.effect("the agent tells a host that asks how many bytes of frames it has handled since the hello", () =>
    Effect.gen(function*() {
      // The second host's count begins anew.
      for (let round = 0; round < 2; round++) {
        const reports = yield* Effect.scoped(reportsTo(HelloFlag.tellTaken))
        assert.isAtLeast(reports.length, 4)
        for (const [at, bytes] of reports.entries()) {
          assert.strictEqual(bytes % frame.length, 0)
          assert.isAtLeast(bytes - (reports[at - 1] ?? 0), STEP)
        }
        assert.isAbove(reports.at(-1)!, 20 * frame.length - STEP - frame.length)
        assert.isAtMost(reports.at(-1)!, 20 * frame.length)
      }
    }))

  it.effect("the agent tells a host that does not ask nothing", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* reportsTo(0), [])
    }))
})
