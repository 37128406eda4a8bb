import { Effect, Stream } from "effect"
import type { PyroError } from "../../contract/errors.ts"
import type {
  DiskContent,
  DiskExportEvent,
  DiskExportPayload,
  DiskList,
  DiskListPayload,
  DiskReadPayload
} from "../../contract/operations/workspace-disk.ts"
import type { GuestTree } from "../../guest-channel/guest-path.ts"
import type { SecretSet } from "../../redaction/output-filter.ts"
import type { Lifecycle, LifecycleServices } from "../entry/context.ts"
import { borrowDisk, type Borrowed } from "../life/reader.ts"
import { guardOf } from "../residents/secret/guard.ts"
import { withinDeadline } from "./deadline.ts"
import { exportDisk } from "./export.ts"
import { listDisk, openTree, readDisk } from "./look.ts"

interface Named {
  readonly workspace: string
  readonly allowSecrets?: boolean
}

/** Operations on the disk of a workspace at rest. */
export const makeDisk = (lifecycle: Lifecycle) => {
  const { registry } = lifecycle
  const inTree = <A, P extends Named>(
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
      const entry = yield* registry.find(payload.workspace)
      const { channel, explain, guest } = yield* borrowDisk(lifecycle, entry, operation)
      const secrets = yield* guardOf(entry, payload)
      return yield* explain(
        Effect.flatMap(openTree(guest), (tree) => look(channel, tree, payload, secrets)).pipe(withinDeadline)
      )
    }))
  return {
    list: (payload: DiskListPayload): Effect.Effect<DiskList, PyroError, LifecycleServices> =>
      inTree(payload, "workspace.disk.list", listDisk),
    read: (payload: DiskReadPayload): Effect.Effect<DiskContent, PyroError, LifecycleServices> =>
      inTree(payload, "workspace.disk.read", readDisk),
    export: (payload: DiskExportPayload): Stream.Stream<DiskExportEvent, PyroError, LifecycleServices> =>
      Stream.unwrap(Effect.map(registry.find(payload.workspace), (entry) => exportDisk(lifecycle, entry, payload)))
  } as const
}
