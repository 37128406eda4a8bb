import { Effect } from "effect"
import { spawn } from "node:child_process"

/** Time in which the desktop says that it cannot open an address, in ms. A browser may run for as long as its user wants. */
const REFUSED_WITHIN_MS = 2_000

/** Opens an address in the person's browser. Returns whether the desktop took it. */
export const openInBrowser = (url: string): Effect.Effect<boolean> =>
  Effect.callback<boolean>((resume) => {
    const child = spawn("xdg-open", [url], { detached: true, stdio: "ignore" })
    child.once("error", () => resume(Effect.succeed(false)))
    child.once("exit", (code) => resume(Effect.succeed(code === 0)))
    child.unref()
  }).pipe(Effect.timeoutOrElse({ duration: REFUSED_WITHIN_MS, orElse: () => Effect.succeed(true) }))
