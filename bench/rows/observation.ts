import { Effect, Option, type Scope } from "effect"
import type { PullEvents } from "../../src/contract/rows/event-batches.ts"
import type { Operation } from "../../src/contract/rows/operations.ts"
import { workspaceExec } from "../../src/contract/rows/workspace-exec.ts"
import { workspaceCreate } from "../../src/contract/rows/workspace-lifecycle.ts"
import { observeEvents } from "../../src/daemon/calls/request/observe.ts"
import { asStep } from "../../src/system/telemetry/spans.ts"
import { makeTimings } from "../../src/system/telemetry/timings.ts"
import type { Bench } from "../bench.ts"
import { type Plan, side, timed } from "../measure.ts"
import { inARow } from "./in-a-row.ts"

/** Operations of one sample: one alone takes microseconds. */
const count = 2000
/** A create has some 20 steps. */
const createSteps = 24

const { tracer } = makeTimings({ isKept: () => false, exporter: undefined })

type Event = { readonly _tag: string }
type Opened = Effect.Effect<PullEvents<Event, never>, never, Scope.Scope>

/** An operation that does nothing but give its two events. */
const operation = (work: Effect.Effect<void>): Opened =>
  Effect.map(work, () => {
    const batches = [[{ _tag: "Started" }], [{ _tag: "Exited" }]]
    return () =>
      Effect.suspend(() => {
        const next = batches.shift()
        return next === undefined ? Effect.fail(Option.none()) : Effect.succeed(next)
      })
  })

const drained = (opened: Opened) =>
  Effect.scoped(Effect.flatMap(opened, (pull) => Effect.ignore(Effect.forever(pull(undefined)))))

/** Milliseconds of one operation, when many run in a row. */
const each = async (opened: Opened) =>
  await timed(() =>
    Effect.runPromise(Effect.withTracer(Effect.repeat(drained(opened), { times: count - 1 }), tracer))
  ) / count

/** What observation adds to one operation of `steps` steps. */
const added = (row: Operation, steps: number) => async () => {
  const plain = Effect.repeat(Effect.void, { times: Math.max(0, steps - 1) })
  const stepped = steps === 0 ? Effect.void : Effect.repeat(asStep("a step")(Effect.void), { times: steps - 1 })
  const without = await each(operation(plain))
  const observed = await each(observeEvents(row, steps > 0)(operation(stepped)))
  return Math.max(0, observed - without)
}

const about = (what: string) =>
  `what durations, outcomes and steps add to ${what}, with no exporter; floor: ${what} through the daemon as it is`

export const observedExec: Plan = {
  name: "observed-exec",
  unit: "ms",
  about: about("an exec of /bin/true"),
  budget: { kind: "ratio", atMost: 0.02 },
  rounds: (runs) => runs,
  warmups: 5,
  floor: async ({ daemon }: Bench) => {
    const workspace = await daemon.create()
    const run = daemon.prepared(workspace, "/bin/true")
    return side(() => inARow(() => timed(run), 100), () => daemon.remove(workspace))
  },
  ours: async () => side(added(workspaceExec, 0))
}

export const observedCreate: Plan = {
  name: "observed-create",
  unit: "ms",
  about: about("a create with a warm pool"),
  budget: { kind: "ratio", atMost: 0.02 },
  rounds: (runs) => runs,
  warmups: 2,
  floor: async ({ daemon }: Bench) =>
    side(async () => {
      await daemon.settled()
      let workspace = ""
      const ms = await timed(async () => (workspace = await daemon.create()))
      await daemon.remove(workspace)
      return ms
    }),
  ours: async () => side(added(workspaceCreate, createSteps))
}
