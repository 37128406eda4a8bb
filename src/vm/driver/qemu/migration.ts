import { Effect } from "effect"
import { VmFailed } from "../../../contract/errors/errors.ts"
import { deadlineScale } from "../../../system/settings/deadline-scale.ts"
import { failedAt } from "../failure.ts"
import type { Qmp } from "./qmp.ts"

/** Waits until a migration, in or out, is through. */
export const awaitMigration = (qmp: Qmp, step: string) =>
  qmp.execute("query-migrate").pipe(
    Effect.map((answer) => (answer as { readonly status?: string; readonly "error-desc"?: string })),
    Effect.flatMap((answer) =>
      answer.status === "failed" || answer.status === "cancelled"
        ? Effect.fail(
          new VmFailed({ step, detail: answer["error-desc"] ?? `migration ${answer.status}`, consoleTail: "" })
        )
        : Effect.succeed(answer.status === "completed")
    ),
    Effect.mapError(failedAt(step)),
    Effect.repeat({ until: (done) => done }),
    Effect.timeoutOrElse({
      duration: 30_000 * deadlineScale,
      orElse: () => Effect.fail(new VmFailed({ step, detail: "QEMU did not finish within 30 s", consoleTail: "" }))
    }),
    Effect.asVoid
  )
