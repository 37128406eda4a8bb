import { Effect } from "effect"
import { FileRefused } from "../../contract/errors/errors.ts"
import type { AgentCallFailed } from "../../guest-channel/errors.ts"

/** The guest's refusal as an error of a push, which is all or nothing. */
export const guestFailure = (path: string) => <A, E, R>(effect: Effect.Effect<A, E | AgentCallFailed, R>) =>
  Effect.catchIf(
    effect,
    (failure): failure is AgentCallFailed => (failure as { readonly _tag?: unknown })._tag === "AgentCallFailed",
    ({ detail, errno, hint, operation }) =>
      new FileRefused({
        path,
        reason: errno === "ENOSPC" ? "no_space" : "failed",
        detail: hint !== undefined
          ? `${hint}; nothing was pushed`
          : errno === "ESTALE"
          ? "something changed there meanwhile; nothing was pushed, try again"
          : `could not ${operation}: ${errno} (${detail}); nothing was pushed`
      })
  )
