import { Effect } from "effect"

interface Tagged {
  readonly _tag: string
}

/** Has the output of a program on this terminal draw on the screen alone, as `attach` does: each event, without the rest of its bytes. */
export const makeScreenOutput = Effect.map(
  Effect.promise(() => import("../terminal/screen-only.ts")),
  ({ ScreenOnly }) => {
    const screen = new ScreenOnly()
    return <Event extends Tagged>(event: Event): Event =>
      "bytes" in event && event.bytes instanceof Uint8Array ? { ...event, bytes: screen.pass(event.bytes) } : event
  }
)
