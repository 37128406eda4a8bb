import { Effect } from "effect"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { deadlineScale } from "../../../../../src/system/settings/deadline-scale.ts"
import { everyMs, hasPoints, isQuick } from "../../../../../src/workspace/life/points/keeper.ts"

describe("workspaces with points", () => {
  const before = process.env["PYRO_REWIND_MIB"]
  beforeEach(() => {
    process.env["PYRO_REWIND_MIB"] = "100"
  })
  afterEach(() => {
    if (before === undefined) delete process.env["PYRO_REWIND_MIB"]
    else process.env["PYRO_REWIND_MIB"] = before
  })

  it("a workspace has points on each driver, a candidate of a try has none, and no workspace has any without room", () => {
    const has = () => [{}, { driver: "firecracker" }, { tryOf: "0123456789ab" }].map(hasPoints)
    assert.deepStrictEqual(has(), [true, true, false])
    process.env["PYRO_REWIND_MIB"] = "0"
    assert.deepStrictEqual(has(), [false, false, false])
  })
})

describe("points that a command waits for", () => {
  const mib = 1024 * 1024
  const quick = ({ commands = 1, captureMs = 0, isUnused = false, pending, returnedAt }: {
    readonly commands?: number
    readonly captureMs?: number
    readonly isUnused?: boolean
    /** Absent: points hold the disk. */
    readonly pending?: number
    readonly returnedAt?: number
  }) => {
    const points = pending === undefined ? undefined : { pendingBytes: Effect.succeed(pending) }
    const before = { captureMs: captureMs * deadlineScale, returnedAt }
    return Effect.runSync(isQuick(before, { points }, { steps: Array.from({ length: commands }) }, { isUnused }))
  }

  it("a point of the disk is always waited for", () => {
    assert.isTrue(quick({ commands: 0, captureMs: 10_000 }))
  })

  it("one with memory is waited for if the last one was short, and little memory is new", () => {
    assert.deepStrictEqual(
      [
        quick({ pending: 64 * mib }),
        quick({ pending: 64 * mib + 1 }),
        quick({ pending: 0, captureMs: 100 }),
        quick({ pending: 0, captureMs: 101 }),
        quick({ pending: 0, commands: 0 })
      ],
      [true, false, true, false, false]
    )
  })

  it("they are rarer after a long pause or a long capture", () => {
    const every = (cost: object) => everyMs({ pauseMs: 0, captureMs: 0, ...cost })
    assert.deepStrictEqual(
      [every({}), every({ pauseMs: 60 }), every({ pauseMs: 100 }), every({ pauseMs: 100, captureMs: 1_000 })],
      [3_000, 3_000, 5_000, 20_000]
    )
  })

  it("the first command after a return to a point waits for no point with memory, and the next one does", () => {
    const after = (commands: number, points: object) => quick({ commands, returnedAt: 3, ...points })
    assert.deepStrictEqual([after(3, { pending: 0 }), after(4, { pending: 0 }), after(3, {})], [false, true, true])
  })

  it("it waits for one if programs alone may have written, and the last point was short", () => {
    const written = (points: object) => quick({ commands: 0, pending: 0, isUnused: true, ...points })
    assert.deepStrictEqual([written({ captureMs: 50 }), written({ captureMs: 101 }), written({})], [true, false, false])
  })
})
