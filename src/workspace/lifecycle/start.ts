import { Effect, Option, Ref } from "effect"
import { workspaceTrees } from "../diff/baseline.ts"
import { aloneFor, type Lifecycle, type LifecycleServices, type Notify } from "./context.ts"
import type { Transition } from "./description.ts"
import type { Entry } from "./entry.ts"
import { guestOn } from "./guest-on.ts"
import { transit } from "./transition.ts"

/** A new VM on the kept disk. */
const starting = (entry: Entry, notify: Notify): Transition<LifecycleServices> => ({
  name: "start",
  entry,
  shows: "starting",
  build: () =>
    Effect.gen(function*() {
      const guest = yield* guestOn(entry, yield* Ref.get(entry.record), notify)
      // A VM that was killed during a patch or a push left a half-done change: any change rolls it back first.
      yield* Effect.ignoreLogged(guest.channel.changeFiles(workspaceTrees.live.root, []))
      return guest
    }),
  change: (record) => ({ ...record, generation: record.generation + 1 }),
  event: { _tag: "started" }
})

/** Starts a stopped or failed workspace. A running one stays unchanged. */
export const start = (lifecycle: Lifecycle, entry: Entry, notify: Notify) =>
  Effect.flatMap(
    Ref.get(entry.generation),
    (running) => Option.isSome(running) ? Effect.void : Effect.asVoid(transit(lifecycle, starting(entry, notify)))
  ).pipe(aloneFor(lifecycle, entry, "workspace.start"))
