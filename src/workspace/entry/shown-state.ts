import { Effect, Ref } from "effect"
import type { WorkspaceState } from "../../contract/rows/workspace-info.ts"
import { printable } from "../../contract/text/printable.ts"
import { type Readable, readableOf } from "./readable.ts"

interface Shown {
  readonly state: WorkspaceState
  readonly detail?: string | undefined
}

/** The state of a workspace that requests see. */
export interface ShownState extends Readable<Shown> {
  readonly show: (state: WorkspaceState, detail?: string) => Effect.Effect<void>
  /** Shows a state during the work. If the work fails, the previous state returns, unless the VM died meanwhile. */
  readonly showing: (state: WorkspaceState) => <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Shows `next` if the state is `from`, and if `may` allows it. Nothing comes between the look and the change. False if nothing changed. */
  readonly replace: (from: WorkspaceState, next: WorkspaceState, may?: () => boolean) => Effect.Effect<boolean>
  /** Adds a detail to a state that has none. */
  readonly explain: (state: WorkspaceState, detail: string) => Effect.Effect<void>
  /** Shows `failed`, and writes a line to the daemon's log. */
  readonly fail: (detail: string) => Effect.Effect<void>
}

/** The state of a new entry, `creating`. `id` is for the log. */
export const showState = (id: string): ShownState => {
  const shown = Ref.makeUnsafe<Shown>({ state: "creating" })
  const show: ShownState["show"] = (state, detail) => Ref.set(shown, { state, detail })
  return {
    ...readableOf(shown),
    show,
    showing: (state) => (work) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(
          Ref.getAndSet(shown, { state }),
          (before) =>
            Effect.onError(restore(work), () => Ref.update(shown, (now) => now.state === state ? before : now))
        )
      ),
    replace: (from, next, may = () => true) =>
      Ref.modify(shown, (now) => now.state === from && may() ? [true, { state: next }] : [false, now]),
    explain: (state, detail) =>
      Ref.update(shown, (now) => now.state === state && now.detail === undefined ? { state, detail } : now),
    fail: (detail) =>
      Effect.andThen(show("failed", detail), Effect.logWarning(`${id} has failed: ${printable(detail)}`))
  }
}
