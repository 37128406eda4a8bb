import { Effect, Ref, type Scope } from "effect"
import type { PyroError } from "../../contract/errors.ts"
import type { PullEvents } from "../../contract/event-batches.ts"
import type { WorkspaceOperation } from "../../contract/operation-states.ts"
import type { ShellInfo, ShellScreen } from "../../contract/operations/shell-fields.ts"
import type { AttachEvent, AttachPayload } from "../../contract/operations/workspace-attach.ts"
import type { ShellClosePayload } from "../../contract/operations/workspace-shell-close.ts"
import type { ShellListPayload, ShellListResult } from "../../contract/operations/workspace-shell-list.ts"
import type { ShellOpenPayload } from "../../contract/operations/workspace-shell-open.ts"
import type { ShellReadPayload } from "../../contract/operations/workspace-shell-read.ts"
import type { ShellResizePayload } from "../../contract/operations/workspace-shell-resize.ts"
import type { ShellSignalPayload } from "../../contract/operations/workspace-shell-signal.ts"
import type { ShellWritePayload, ShellWriteResult } from "../../contract/operations/workspace-shell-write.ts"
import type { RunInput } from "../../contract/run-input.ts"
import type { Lifecycle } from "../entry/context.ts"
import { touch } from "../entry/record.ts"
import { runningGeneration } from "../life/running.ts"
import { residentsOf } from "../residents/entry-residents.ts"
import type { Shells } from "../residents/shell/shells.ts"

/** The operations on shells. */
export interface ShellOperations {
  readonly open: (payload: ShellOpenPayload) => Effect.Effect<ShellInfo, PyroError>
  readonly list: (payload: ShellListPayload) => Effect.Effect<ShellListResult, PyroError>
  readonly read: (payload: ShellReadPayload) => Effect.Effect<ShellScreen, PyroError>
  readonly write: (payload: ShellWritePayload) => Effect.Effect<ShellWriteResult, PyroError>
  /** The Scope detaches the caller. */
  readonly attach: (
    payload: AttachPayload,
    input?: RunInput
  ) => Effect.Effect<PullEvents<AttachEvent>, PyroError, Scope.Scope>
  readonly resize: (payload: ShellResizePayload) => Effect.Effect<ShellInfo, PyroError>
  readonly signal: (payload: ShellSignalPayload) => Effect.Effect<ShellInfo, PyroError>
  readonly close: (payload: ShellClosePayload) => Effect.Effect<ShellInfo, PyroError>
}

interface Named {
  readonly workspace: string
}

export const makeShellOperations = ({ registry }: Lifecycle): ShellOperations => {
  const known = <A>(
    { workspace }: Named,
    operation: WorkspaceOperation,
    work: (shells: Shells) => Effect.Effect<A, PyroError>
  ) =>
    Effect.flatMap(
      registry.find(workspace),
      (entry) => Effect.flatMap(residentsOf(entry, operation), ({ shells }) => work(shells))
    )

  /** In a VM that runs. Counts as use of the workspace. */
  const running = <A, R = never>(
    { workspace }: Named,
    operation: WorkspaceOperation,
    work: (shells: Shells) => Effect.Effect<A, PyroError, R>
  ) =>
    Effect.gen(function*() {
      const entry = yield* registry.find(workspace)
      yield* runningGeneration(entry, operation)
      const { shells } = yield* residentsOf(entry, operation)
      yield* touch(entry.folder)
      return yield* work(shells)
    })

  return {
    open: (payload) =>
      Effect.gen(function*() {
        const entry = yield* registry.find(payload.workspace)
        const { memoryMib, workspaceUser } = yield* Ref.get(entry.record)
        const generation = yield* runningGeneration(entry, "workspace.shell.open")
        const { shells } = yield* residentsOf(entry, "workspace.shell.open")
        const user = payload.user ?? workspaceUser
        return yield* shells.open({ ...generation, memoryMib }, { ...payload, user })
      }),
    list: (payload) => known(payload, "workspace.shell.list", ({ list }) => list),
    read: (payload) => known(payload, "workspace.shell.read", ({ read }) => read(payload)),
    write: (payload) => running(payload, "workspace.shell.write", ({ write }) => write(payload)),
    attach: (payload, input = {}) => running(payload, "workspace.shell.attach", ({ attach }) => attach(payload, input)),
    resize: (payload) => running(payload, "workspace.shell.resize", ({ resize }) => resize(payload)),
    signal: (payload) => running(payload, "workspace.shell.signal", ({ signal }) => signal(payload)),
    close: (payload) => known(payload, "workspace.shell.close", ({ close }) => close(payload))
  }
}
