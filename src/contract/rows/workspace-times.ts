import { between, optional } from "../text/fields.ts"
import { lazy } from "./operation.ts"

/** A year, in seconds. Longer than JavaScript's timers, so the daemon checks expiry repeatedly. */
export const MAX_TTL_SECONDS = 31_536_000

export const TtlSeconds = lazy(() =>
  between({
    from: 1,
    to: MAX_TTL_SECONDS,
    unit: "seconds",
    description: "Seconds from the last activity until pyro deletes the workspace. Default: never"
  })
)

/** Time without a use until a workspace is paused. */
export const pauseAfterField = (otherwise: string) =>
  optional(
    between({
      from: 0,
      to: MAX_TTL_SECONDS,
      unit: "seconds",
      description:
        `Seconds without a use until pyro pauses the workspace: its memory goes to the disk, and the next use continues it; 0: never. Default: ${otherwise}`
    })
  )
