import { Effect } from "effect"
import { screenSwitches } from "./screen-switches.ts"
import { Terminal } from "./terminal.ts"

interface Tagged {
  readonly _tag: string
}

/** What leaves out bytes of a program's output that do more than draw on the screen. */
const screenOnly = Effect.map(
  Effect.promise(() => import("../terminal/screen-only.ts")),
  ({ ScreenOnly }) => {
    const screen = new ScreenOnly()
    return (bytes: Uint8Array) => screen.pass(bytes)
  }
)

/**
 * Has the output of a program on this terminal draw on the screen alone, as `attach` does: each event, without the rest of its bytes. Its modes
 * of the terminal end with the Scope.
 */
export const makeScreenOutput = (isRaw: boolean) =>
  Effect.gen(function*() {
    const pass = isRaw ? undefined : yield* screenOnly
    const terminal = yield* Terminal
    const note = screenSwitches(yield* terminal.guard)
    return <Event extends Tagged>(event: Event): Event => {
      if (!("bytes" in event && event.bytes instanceof Uint8Array)) return event
      const bytes = pass === undefined ? event.bytes : pass(event.bytes)
      note(bytes)
      return { ...event, bytes }
    }
  })
