/** In the order of a workspace's life. */
export const workspaceStates = [
  "creating",
  "running",
  "starting",
  "stopping",
  "stopped",
  "paused",
  "failed",
  "resetting",
  "deleting"
] as const
type WorkspaceState = (typeof workspaceStates)[number]

/**
 * When an operation on a workspace is legal. The other states refuse the operation with WorkspaceNotReady. An operation that is legal for a
 * running workspace, and not for a paused one, first resumes a paused one.
 */
export interface StateRule {
  readonly legal: ReadonlyArray<WorkspaceState>
  /** The operation waits for the step under way (create, stop, start, reset, …), and then judges the state that the step left. */
  readonly waits: boolean
  /** The exception to the rule, as a sentence for the reference. */
  readonly except?: string
}

export const every: ReadonlyArray<WorkspaceState> = workspaceStates
/** No step is under way. */
export const settled: ReadonlyArray<WorkspaceState> = ["running", "stopped", "paused", "failed"]
/** The same for an operation that resumes a paused workspace. */
export const settledAwake = settled.filter((state) => state !== "paused")
/**
 * While a daemon attaches to a running VM, the state is `starting` until the guest answers. The operations with this rule need no answer
 * of the guest: a reset ends the VM, and the others also work without the VM.
 */
export const settledOrAttaching: ReadonlyArray<WorkspaceState> = [...settled, "starting"]
/** A reset builds the next VM while the present one runs on. */
export const withVm: ReadonlyArray<WorkspaceState> = ["running", "resetting"]
/** An inspector reads the disk of a workspace at rest. */
export const readable: ReadonlyArray<WorkspaceState> = [...withVm, "stopped", "failed"]
/** No VM writes the disk. */
export const atRest: ReadonlyArray<WorkspaceState> = ["stopped", "failed"]
export const withCommands = every.filter((state) => state !== "creating")
/** The same for an operation that needs the processes, and resumes a paused workspace. */
export const withProcesses = withCommands.filter((state) => state !== "paused")

export const at = (legal: ReadonlyArray<WorkspaceState>, rest: Partial<StateRule> = {}): StateRule => ({
  legal,
  waits: false,
  ...rest
})
export const waits = { waits: true } as const
