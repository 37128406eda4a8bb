/** In the order of a workspace's life. */
export const workspaceStates = [
  "creating",
  "running",
  "starting",
  "stopping",
  "stopped",
  "failed",
  "resetting",
  "deleting"
] as const
type WorkspaceState = (typeof workspaceStates)[number]

/** When an operation on a workspace is legal. The other states refuse the operation with WorkspaceNotReady. */
export interface StateRule {
  readonly legal: ReadonlyArray<WorkspaceState>
  /** The operation waits for the step under way (create, stop, start, reset, …), and then judges the state that the step left. */
  readonly waits: boolean
  /** The exception to the rule, as a sentence for the reference. */
  readonly except?: string
}

export const every: ReadonlyArray<WorkspaceState> = workspaceStates
/** No step is under way. */
export const settled: ReadonlyArray<WorkspaceState> = ["running", "stopped", "failed"]
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

export const at = (legal: ReadonlyArray<WorkspaceState>, rest: Partial<StateRule> = {}): StateRule => ({
  legal,
  waits: false,
  ...rest
})
export const waits = { waits: true } as const
