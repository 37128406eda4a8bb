import { Effect, Option, Ref } from "effect"
import * as fs from "node:fs"
import { faultPoint } from "../../system/fault.ts"
import { alone, close, commit, endUnattached, type Lifecycle, takeOut } from "./context.ts"
import { forget } from "./create.ts"
import type { Entry } from "./registry.ts"
import { stoppedBy } from "./steps.ts"

/** Removes the workspace and everything in it; on a full disk too. For whoever has it alone. */
export const removeAlone = (lifecycle: Lifecycle, entry: Entry) =>
  Effect.gen(function*() {
    yield* commit(entry, (record) => ({ ...record, phase: "deleting" })).pipe(
      // A folder without a record is removed after a crash just as well.
      Effect.catchAll(() => Effect.sync(() => fs.rmSync(entry.folder.record, { force: true })))
    )
    yield* Ref.set(entry.state, { state: "deleting" })
    faultPoint("delete:announced")
    yield* endUnattached(entry)
    const current = yield* takeOut(entry)
    if (Option.isSome(current)) yield* close(current.value)
    const commands = yield* Ref.get(entry.commands)
    if (Option.isSome(commands)) yield* commands.value.loseAll(stoppedBy("delete"))
    faultPoint("delete:ended")
    yield* forget(lifecycle, entry)
  }).pipe(Effect.uninterruptible)

/** The same, one step at a time. */
export const remove = (lifecycle: Lifecycle, entry: Entry) =>
  removeAlone(lifecycle, entry).pipe(alone(lifecycle, entry))
