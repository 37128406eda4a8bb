import { Effect, Ref } from "effect"
import type { SeedReport } from "../../disk/SeedImages.ts"
import type { Lifecycle } from "../entry/context.ts"
import type { Generation } from "../entry/entry.ts"
import { warmBaseline } from "./baseline.ts"

const warmAfter = "2 seconds"

/**
 * Reads both trees into the guest's memory, for the first diff. The first command and the creation of other workspaces go first.
 * Not for a workspace without a seed, which has no tree to read.
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
  return Effect.andThen(quiet, warmBaseline(channel)).pipe(
    Effect.ignore,
    Effect.when(Effect.succeed(files > 0)),
    Effect.forkIn(scope)
  )
}
