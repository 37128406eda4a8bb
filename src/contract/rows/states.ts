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
export type WorkspaceState = (typeof workspaceStates)[number]

/**
 * When an operation on a workspace is legal. The other states refuse the operation with WorkspaceNotReady. An operation that is legal for a
 * running workspace, and not for a paused one, first resumes a paused one.
 */
export interface StateRule<Legal extends WorkspaceState = WorkspaceState> {
  readonly legal: ReadonlyArray<Legal>
  /** The operation waits for the step under way (create, stop, start, reset, …), and then judges the state that the step left. */
  readonly waits: boolean
  /** The exception to the rule, as a sentence for the reference. */
  readonly except?: string
}

export const every = workspaceStates
/** No step is under way. */
export const settled = ["running", "stopped", "paused", "failed"] as const
/** The same for an operation that resumes a paused workspace. */
export const settledAwake = settled.filter((state) => state !== "paused")
/**
 * While a daemon attaches to a running VM, the state is `starting` until the guest answers. The operations with this rule need no answer
 * of the guest: a reset ends the VM, and the others also work without the VM.
 */
export const settledOrAttaching = [...settled, "starting"] as const
/** A reset builds the next VM while the present one runs on. */
export const withVm = ["running", "resetting"] as const
/** An inspector reads the disk of a workspace at rest. */
export const readable = [...withVm, "stopped", "failed"] as const
/** No VM writes the disk. */
export const atRest = ["stopped", "failed"] as const
export const withCommands = every.filter((state) => state !== "creating")
/** The same for an operation that needs the processes, and resumes a paused workspace. */
export const withProcesses = withCommands.filter((state) => state !== "paused")

export const at = <Legal extends WorkspaceState>(
  legal: ReadonlyArray<Legal>,
  rest: Partial<StateRule<Legal>> = {}
): StateRule<Legal> => ({
  legal,
  waits: false,
  ...rest
})
export const waits = { waits: true } as const
