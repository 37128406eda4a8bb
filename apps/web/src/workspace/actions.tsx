import { useState } from "react"
import type { OperationName } from "../../../../src/contract/rows/operations.ts"
import { isLegal, type WorkspaceOperation } from "../../../../src/contract/rows/operations.ts"
import type { WorkspaceInfo } from "../../../../src/contract/rows/workspace-info.ts"
import { useAction } from "../live/action.ts"
import { Problem } from "../parts/problem.tsx"
import { go, pathOf } from "../parts/route.tsx"
import { ask, perform } from "../wire/calls.ts"
import { Confirm } from "./confirm.tsx"
import { NameDialog } from "./name-dialog.tsx"

const nameOf = ({ id, name }: WorkspaceInfo) => name ?? id

/** A free name for a snapshot of this moment. */
const snapshotName = () => `page-${new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-")}`

type Open = "snapshot" | "fork" | "reset" | "delete"

/** The steps. `run` shows what each says. */
const stepsOn = (of: WorkspaceInfo, run: ReturnType<typeof useAction>["run"]) => {
  const workspace = of.id
  const snapshot = (name: string) =>
    run("snapshot", async () => {
      await perform("workspace.snapshot.create", { workspace, name })
      return `Snapshot ${name} is taken.`
    })
  const fork = (name: string) =>
    run("fork", async () => {
      const { workspaces: [made] } = await perform("workspace.fork", {
        workspace,
        ...(name === "" ? {} : { name })
      })
      go(pathOf(made!.id))
      return `Fork ${nameOf(made!)} is ready.`
    })
  const step =
    (operation: "workspace.pause" | "workspace.resume" | "workspace.stop" | "workspace.start", said: string) => () =>
      run(operation, async () => {
        await perform(operation, { workspace })
        return `${nameOf(of)} is ${said}.`
      })
  const reset = () =>
    run("reset", async () => {
      await perform("workspace.reset", { workspace })
      return `${nameOf(of)} is as it was after its creation.`
    })
  const remove = () =>
    run("delete", async () => {
      await ask("workspace.delete", { workspaces: [workspace], ifExists: true })
      go("/")
      return `${nameOf(of)} is deleted.`
    })
  return { fork, remove, reset, snapshot, step }
}

/** Steps on the whole workspace. A step whose button ends with "…" asks first: for a name, or before a loss. */
export const Actions = ({ of }: { readonly of: WorkspaceInfo }) => {
  const { failure, run, running } = useAction()
  const [open, setOpen] = useState<Open>()
  const close = () => setOpen(undefined)
  const isPossible = (operation: Extract<OperationName, WorkspaceOperation>) => isLegal(operation, of.state)
  const may = (operation: Extract<OperationName, WorkspaceOperation>) => running === undefined && isPossible(operation)

  const { fork, remove, reset, snapshot, step } = stepsOn(of, run)
  const isPaused = of.state === "paused"
  return (
    <div className="actions">
      <div role="group" aria-label="Steps on the workspace" className="buttons">
        <button type="button" disabled={!may("workspace.snapshot.create")} onClick={() => setOpen("snapshot")}>
          {running === "snapshot" ? "Taking…" : "Snapshot…"}
        </button>
        <button type="button" disabled={!may("workspace.fork")} onClick={() => setOpen("fork")}>
          {running === "fork" ? "Forking…" : "Fork…"}
        </button>
        {isPaused
          ? (
            <button type="button" disabled={running !== undefined} onClick={step("workspace.resume", "running")}>
              Resume
            </button>
          )
          : of.state === "stopped" || of.state === "failed"
          ? (
            <button type="button" disabled={running !== undefined} onClick={step("workspace.start", "running")}>
              Start
            </button>
          )
          : (
            <button type="button" disabled={!may("workspace.pause")} onClick={step("workspace.pause", "paused")}>
              {running === "workspace.pause" ? "Pausing…" : "Pause"}
            </button>
          )}
        <button type="button" disabled={!may("workspace.reset")} onClick={() => setOpen("reset")}>
          {running === "reset" ? "Resetting…" : "Reset…"}
        </button>
        <button type="button" className="danger" disabled={!may("workspace.delete")} onClick={() => setOpen("delete")}>
          {running === "delete" ? "Deleting…" : "Delete…"}
        </button>
      </div>
      {failure === undefined ? null : <Problem of={failure} />}
      {open === "snapshot"
        ? (
          <NameDialog
            title="Take snapshot"
            label="Name of the snapshot"
            first={snapshotName()}
            act={snapshot}
            close={close}
          />
        )
        : null}
      {open === "fork"
        ? (
          <NameDialog
            title="Fork"
            label="Name of the fork (may be empty)"
            first=""
            isOptional
            act={fork}
            close={close}
          />
        )
        : null}
      {open === "reset"
        ? (
          <Confirm
            title="Reset"
            of={of}
            says="A reset discards every change of the disk that was not applied, every process and the history of commands."
            act={reset}
            close={close}
          />
        )
        : null}
      {open === "delete"
        ? (
          <Confirm
            title="Delete"
            of={of}
            says="A deletion removes the workspace with its disk, snapshots and logs."
            act={remove}
            close={close}
          />
        )
        : null}
    </div>
  )
}
