import { Effect } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import type { GuestTree } from "../../guest-channel/guest-path.ts"
import type { SecretSet } from "../../redaction/secrets.ts"
import type { Lifecycle, LifecycleServices } from "../entry/context.ts"
import type { Entry } from "../entry/entry.ts"
import { borrowDisk, type Borrowed } from "../life/reader.ts"
import { guardOf } from "../residents/secret/guard.ts"
import { withinDeadline } from "./deadline.ts"
import { openTree } from "./look.ts"

/** Looks at the disk of a workspace at rest, through an inspector. */
export const lookAtDisk = <A, P extends { readonly workspace: string; readonly allowSecrets?: boolean }>(
  lifecycle: Lifecycle,
  entry: Entry,
  payload: P,
  operation: "workspace.disk.list" | "workspace.disk.read",
  look: (
    channel: Borrowed["channel"],
    tree: GuestTree,
    payload: P,
    secrets: SecretSet | undefined
  ) => Effect.Effect<A, PyroError>
): Effect.Effect<A, PyroError, LifecycleServices> =>
  Effect.scoped(Effect.gen(function*() {
    const { channel, explain, guest } = yield* borrowDisk(lifecycle, entry, operation)
    const secrets = yield* guardOf(entry, payload)
    return yield* explain(
      Effect.flatMap(openTree(guest), (tree) => look(channel, tree, payload, secrets)).pipe(withinDeadline)
    )
  }))
