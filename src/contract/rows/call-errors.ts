import type { ErrorOf, ErrorTag } from "../errors/errors.ts"
import type { WorkPlace } from "./operation.ts"
import type { StateRule } from "./states.ts"

// What surrounds a call fails by itself, whatever the row does. A row lists the errors of its own work, and these lists are added by the
// properties of the row. The compiler compares both with the functions that give the errors (test/unit/daemon/calls/errors.test.ts).

/** Any call: it may cross the socket of a daemon that has to be started, and it opens the workspaces. Another machine's daemon may be newer. */
export const ofEachCall = [
  "ContextUnknown",
  "ContextUnreachable",
  "DaemonMismatch",
  "DaemonUnavailable",
  "HostToolMissing",
  "InvalidConfiguration",
  "InvalidRequest",
  "MessageUnreadable",
  "NoMicroVms",
  "NoSpace",
  "NotPermitted",
  "QuotaExceeded",
  "StateDirectoryUnusable",
  "UnknownFailure"
] as const

/** A row with `on`: the workspace is looked up by what the caller names. */
export const ofFinding = ["IdAmbiguous", "StateTooNew", "WorkspaceNotFound", "WorkspaceNotReady"] as const

/** A microVM is taken: from the pool, from its template, or from a memory. */
export const ofTakingVm = [
  "AdmissionRefused",
  "ChannelFailed",
  "ConfinementUnavailable",
  "DriverUnavailable",
  "GuestPanicked",
  "HostToolUnsuitable",
  "ImageDamaged",
  "VmFailed"
] as const

/** A row that a paused workspace is resumed for: its memory continues. */
export const ofWaking = [...ofTakingVm, "SnapshotMismatch"] as const

/** A microVM boots on the disk of a workspace. */
export const ofBooting = [...ofTakingVm, "DiskDamaged", "SeedRejected"] as const

/** A row on `running`: the microVM ends, or nobody reaches it. */
export const ofRunning = ["ChannelFailed", "GuestPanicked", "VmFailed"] as const

/** A guest could not start a command of the caller. */
export const ofCommands = ["CommandNotExecutable", "CommandNotFound", "CommandNotStarted"] as const

/** A builder makes an image: a workspace of pyro's own, on the host's images. */
export const ofBuilding = [
  ...ofBooting,
  ...ofCommands,
  "EnvironmentBuildFailed",
  "EnvironmentUnknown",
  "FileRefused",
  "ImagePullFailed",
  "NetworkAboveCeiling",
  "NetworkUnsupported",
  "WorkspaceNotFound",
  "WorkspaceNotReady"
] as const

/** A workspace is made of a devcontainer.json or a Dockerfile, with its commands and ports. */
export const ofDevContainers = [
  "DevContainerCommandFailed",
  "DevContainerRefused",
  "EnvironmentNameTaken",
  "ExecNotFound",
  "IdAmbiguous",
  "PortAlreadyPublished",
  "PortInUse",
  "PortUnavailable",
  "PublishingNotAllowed",
  "RegistryNotAllowed",
  "StateTooNew"
] as const

/** The part of a row that says what surrounds its call. */
interface Surrounded {
  readonly on?: WorkPlace | undefined
  readonly states?: StateRule | undefined
  readonly errors: ReadonlyArray<ErrorTag>
}

/** Whether a rule resumes a paused workspace before the operation begins. */
export const wakesBy = ({ legal }: StateRule): boolean => legal.includes("running") && !legal.includes("paused")

/** Tags of the errors that a call of the row may fail with, beside those of each call, in the order of the alphabet. */
export const furtherTags = ({ errors, on, states }: Surrounded): ReadonlyArray<ErrorTag> =>
  [
    ...new Set<ErrorTag>([
      ...(on === undefined ? [] : ofFinding),
      ...(on !== undefined && states !== undefined && wakesBy(states) ? ofWaking : []),
      ...(on === "reader" ? ofBooting : []),
      ...(on === "running" ? ofRunning : []),
      ...errors
    ])
  ].filter((tag) => !(ofEachCall as ReadonlyArray<ErrorTag>).includes(tag)).sort()

/** Tags of all errors that a call of the row may fail with. */
export const errorTags = (row: Surrounded): ReadonlyArray<ErrorTag> => [...ofEachCall, ...furtherTags(row)].sort()

type Tags<List extends ReadonlyArray<ErrorTag>> = List[number]

type Wakes<Row> = Row extends { readonly states?: StateRule<infer Legal> | undefined }
  ? "running" extends Legal ? "paused" extends Legal ? false : true : false
  : false

/** Tags of the errors of what surrounds a call of the row. */
export type SurroundingTag<Row> =
  | Tags<typeof ofEachCall>
  | (Row extends { readonly on?: infer Place } ? [Extract<Place, WorkPlace>] extends [never] ? never
    :
      | Tags<typeof ofFinding>
      | (Wakes<Row> extends true ? Tags<typeof ofWaking> : never)
      | (Extract<Place, WorkPlace> extends "reader" ? Tags<typeof ofBooting> : never)
      | (Extract<Place, WorkPlace> extends "running" ? Tags<typeof ofRunning> : never)
    : never)

/** Tags of the errors that the row lists. */
export type OwnTag<Row> = Row extends { readonly errors: ReadonlyArray<infer Tag> } ? Extract<Tag, ErrorTag> : never

/** The errors that a call of the row may fail with. */
export type ErrorOfRow<Row> = ErrorOf<OwnTag<Row> | SurroundingTag<Row>>
