import type { operations } from "./operations.ts"
import type { WorkspaceState } from "./operations/workspace-info.ts"

type OperationName = (typeof operations)[number]["name"]

/** Operations on a workspace that exists; `env.build` reads one with `--from-workspace`. */
export type WorkspaceOperation =
  | Exclude<Extract<OperationName, `workspace.${string}`>, "workspace.create" | "workspace.list">
  | "env.build"

/** When an operation on a workspace is legal. The other states refuse the operation with WorkspaceNotReady. */
export interface StateRule {
  readonly legal: ReadonlyArray<WorkspaceState>
  /** The operation waits for the step under way (create, stop, start, reset, …), and then judges the state that the step left. */
  readonly waits: boolean
  /** The exception to the rule, as a sentence for the reference. */
  readonly except?: string
}

const every: ReadonlyArray<WorkspaceState> = [
  "creating",
  "running",
  "starting",
  "stopping",
  "stopped",
  "failed",
  "resetting",
  "deleting"
]
/** No step is under way. */
const settled: ReadonlyArray<WorkspaceState> = ["running", "stopped", "failed"]
/** While a daemon attaches to a running VM, `starting` lasts as long as the guest does not answer. These operations end the VM, or leave it. */
const settledOrAttaching: ReadonlyArray<WorkspaceState> = [...settled, "starting"]
/** A reset builds the next VM while the present one runs on. */
const withVm: ReadonlyArray<WorkspaceState> = ["running", "resetting"]
/** An inspector reads the disk of a workspace at rest. */
const readable: ReadonlyArray<WorkspaceState> = [...withVm, "stopped", "failed"]
/** No VM writes the disk. */
const atRest: ReadonlyArray<WorkspaceState> = ["stopped", "failed"]
const withCommands = every.filter((state) => state !== "creating")

const at = (legal: ReadonlyArray<WorkspaceState>, rest: Partial<StateRule> = {}): StateRule => ({
  legal,
  waits: false,
  ...rest
})
const waits = { waits: true } as const

/** In which states of a workspace each operation is legal: for the checks, their errors and the reference. */
export const operationStates: Readonly<Record<WorkspaceOperation, StateRule>> = {
  "env.build": at(withVm, { except: "Without `from_workspace` no workspace is involved." }),
  "workspace.cancel": at(withCommands),
  "workspace.compare": at(readable, { except: "A snapshot can be compared in every state of its workspace." }),
  "workspace.delete": at(every, waits),
  "workspace.diff": at(readable),
  "workspace.disk.export": at(atRest),
  "workspace.disk.list": at(atRest),
  "workspace.disk.read": at(atRest),
  "workspace.events": at(every),
  "workspace.exec": at(withVm, {
    except: "An `exec_id` that the workspace knows is followed in every state but `creating`."
  }),
  "workspace.export": at(readable, { except: "A path outside of /workspace is read from a running workspace only." }),
  "workspace.file.edit": at(withVm),
  "workspace.file.list": at(readable),
  "workspace.file.read": at(readable),
  "workspace.file.write": at(withVm),
  "workspace.fork": at(settled, { ...waits, except: "With `snapshot`, a fork is legal in `starting` too." }),
  "workspace.import": at(withVm),
  "workspace.logs": at(withCommands),
  "workspace.network.log": at(withCommands),
  "workspace.network.set": at(settled, waits),
  "workspace.patch.apply": at(withVm),
  "workspace.port.list": at(withCommands),
  "workspace.port.publish": at(["running"], waits),
  "workspace.port.unpublish": at(settled, waits),
  "workspace.rename": at(settledOrAttaching, waits),
  "workspace.reset": at(settledOrAttaching, waits),
  "workspace.shell.attach": at(withVm),
  "workspace.shell.close": at(withCommands),
  "workspace.shell.list": at(withCommands),
  "workspace.shell.open": at(withVm),
  "workspace.shell.read": at(withCommands),
  "workspace.shell.resize": at(withVm),
  "workspace.shell.signal": at(withVm),
  "workspace.shell.write": at(withVm),
  "workspace.service.list": at(withCommands),
  "workspace.service.logs": at(withCommands),
  "workspace.service.start": at(withVm),
  "workspace.service.status": at(withCommands),
  "workspace.service.stop": at(withCommands),
  "workspace.snapshot.create": at(settled, waits),
  "workspace.snapshot.delete": at(settledOrAttaching, waits),
  "workspace.snapshot.list": at(every),
  "workspace.start": at(settled, waits),
  "workspace.status": at(every),
  "workspace.stop": at(settled, waits),
  "workspace.summary": at(readable),
  "workspace.sync.push": at(withVm),
  "workspace.update": at(settledOrAttaching, waits)
}

export const isLegal = (operation: WorkspaceOperation, state: WorkspaceState): boolean =>
  operationStates[operation].legal.includes(state)

/** The legal states that last until somebody changes them: the others end by themselves, and nobody can ask for them. */
export const lastingStates = (operation: WorkspaceOperation): ReadonlyArray<WorkspaceState> =>
  settled.filter((state) => isLegal(operation, state))
