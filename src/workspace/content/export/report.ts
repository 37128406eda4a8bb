import { Clock, Effect } from "effect"
import type { Notice } from "../../../contract/rows/notice.ts"

const quietMs = 1_000
const betweenMs = 250
const mib = (bytes: number) => (bytes / (1024 * 1024)).toFixed(1)

/** Reports progress after a second, and then four times a second. */
export const progressOf = <E, R>(
  total: { readonly bytes: number; readonly files: number },
  tell: (notice: Notice) => Effect.Effect<unknown, E, R>
) =>
  Effect.map(Clock.currentTimeMillis, (start) => {
    let bytes = 0
    let files = 0
    let next = start + quietMs
    const look = Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (now < next) return Effect.void
      next = now + betweenMs
      const fraction = total.bytes > 0 ? bytes / total.bytes : total.files > 0 ? files / total.files : 1
      const message = `exported ${mib(bytes)} of ${mib(total.bytes)} MiB, ${files} of ${total.files} files`
      return tell({ _tag: "Notice", level: "progress", message, fraction: Math.min(1, fraction) })
    })
    return {
      bytes: (count: number) => Effect.suspend(() => ((bytes += count), look)),
      file: Effect.suspend(() => ((files += 1), look))
    }
  })
