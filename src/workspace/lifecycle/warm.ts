import { Effect, Ref } from "effect"
import type { SeedReport } from "../../disk/SeedImages.ts"
import { warmBaseline } from "../diff/baseline.ts"
import type { Lifecycle } from "./context.ts"
import type { Generation } from "./generation.ts"

const warmAfter = "2 seconds"

/**
 * The first diff finds both trees in the guest's memory. The first command goes before, and so does the making of other workspaces;
 * where nothing was seeded there is nothing to be found.
 */
export const warmLater = (
  { registry }: Lifecycle,
  { channel, scope }: Generation,
  { files }: Pick<SeedReport, "files">
) => {
  const othersAreMade = Effect.map(
    Effect.forEach(registry.entries.values(), ({ record }) => Ref.get(record)),
    (records) => records.some(({ phase }) => phase === "creating")
  )
  const quiet = Effect.delay(othersAreMade, warmAfter).pipe(Effect.repeat({ while: (busy) => busy }))
  return Effect.zipRight(quiet, warmBaseline(channel)).pipe(
    Effect.ignore,
    Effect.when(() => files > 0),
    Effect.interruptible,
    Effect.forkIn(scope)
  )
}
