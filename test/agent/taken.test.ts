import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { AgentMessage, encodeControl, FIRST_CALL, HelloFlag, HostMessage } from "../support/guest-channel/guest-wire.ts"
import { withConfinedAgent } from "./agent.ts"
import { openRawWith } from "./raw.ts"

/** Step of the agent's reports. */
const STEP = 131_072
/** Input of a stream that nobody opened, which the agent reads and drops. */
const { fields, kind } = HostMessage.DataIn
const frame = encodeControl(77, kind, fields, { offset: 0, data: Buffer.alloc(50_000) })

const call = { op: 4, fields: Buffer.alloc(0) }
/** All bytes of a host after its hello: of 20 frames, and of the request behind them. */
const ALL_BYTES = 20 * frame.length +
  encodeControl(FIRST_CALL, HostMessage.Call.kind, HostMessage.Call.fields, call).length

/** What the agent reports of these. */
const reportsTo = (flags: number) =>
  Effect.gen(function*() {
    const raw = yield* openRawWith(flags)
    for (let count = 0; count < 20; count++) raw.write(frame)
    raw.send(HostMessage.Call, FIRST_CALL, call)
    yield* raw.frameFor(AgentMessage.Result, FIRST_CALL)
    return raw.framesOf(AgentMessage.Taken).map(({ bytes }) => bytes)
  })

withConfinedAgent("what the agent has taken", (it) => {
  it.effect("the agent tells a host that asks how many bytes of frames it has handled since the hello", () =>
    Effect.gen(function*() {
      // The second host's count begins anew.
      for (let round = 0; round < 2; round++) {
        const reports = yield* Effect.scoped(reportsTo(HelloFlag.reportTaken))
        assert.isAtLeast(reports.length, 4)
        for (const [at, bytes] of reports.entries()) {
          // The last report may come after the request.
          if (bytes !== ALL_BYTES) assert.strictEqual(bytes % frame.length, 0)
          assert.isAtLeast(bytes - (reports[at - 1] ?? 0), STEP)
        }
        assert.isAbove(reports.at(-1)!, 20 * frame.length - STEP - frame.length)
        assert.isAtMost(reports.at(-1)!, ALL_BYTES)
      }
    }))

  it.effect("the agent tells a host that does not ask nothing", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* reportsTo(0), [])
    }))
})
