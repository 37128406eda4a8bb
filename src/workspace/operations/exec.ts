import { Effect, Ref } from "effect"
import { runningGeneration, standstillOf } from "../life/running.ts"
import { cancel } from "../residents/exec/cancel.ts"
import { withExecId } from "../residents/exec/exec-id.ts"
import { exec } from "../residents/exec/exec.ts"
import { logs } from "../residents/exec/logs.ts"
import type { Works } from "./work.ts"

/** The work of the operations on commands. */
export const execWorks = {
  "workspace.exec": {
    pulls: ({ commands, entry }, payload, input) =>
      Effect.gen(function*() {
        const { memoryMib, workspaceUser } = yield* Ref.get(entry.record)
        // A command that the workspace knows is followed without a VM.
        const running = Effect.map(
          runningGeneration(entry, "workspace.exec"),
          (generation) => ({ ...generation, memoryMib })
        )
        const asked = { ...yield* withExecId(commands, payload), user: payload.user ?? workspaceUser }
        return yield* exec(commands, running, asked, input, standstillOf(entry))
      })
  },
  "workspace.logs": ({ commands }, payload) =>
    Effect.flatMap(withExecId(commands, payload), (whole) => logs(commands, whole)),
  "workspace.cancel": ({ commands }, payload) =>
    Effect.flatMap(withExecId(commands, payload), (whole) => cancel(commands, whole))
} satisfies Partial<Works>
