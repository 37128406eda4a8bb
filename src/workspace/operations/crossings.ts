import { Effect } from "effect"
import type { EventOf, OperationOf, PayloadOf, ResultOf } from "../../contract/rows/operations.ts"
import type { ExportPayload, ExportSummary } from "../../contract/rows/workspace-export.ts"
import { CALLERS_COMPUTER } from "../../contract/rows/workspace-transfer.ts"
import type { Entry } from "../entry/entry.ts"
import { type NewEvent, recordEvent } from "../entry/events.ts"
import type { WorkspacesOperation } from "./work.ts"

/** Result of a work, or each of its events. */
type Given<Name extends WorkspacesOperation> = OperationOf<Name> extends { readonly kind: "streaming" } ? EventOf<Name>
  : ResultOf<Name>

type Crossings = {
  readonly [Name in WorkspacesOperation]?: (payload: PayloadOf<Name>, given: Given<Name>) => NewEvent | undefined
}

interface Crossed extends Pick<ExportSummary, "bytes" | "files" | "kind" | "output"> {
  readonly changedFiles?: number | undefined
  readonly digest?: string | undefined
}

const exportEvent = (
  { path, paths }: Pick<ExportPayload, "path" | "paths">,
  { bytes, changedFiles, digest, files, kind, output }: Crossed
): NewEvent => {
  const [first = "", ...others] = path === "" ? paths : [path, ...paths]
  const more = others.length === 0 ? "" : ` and ${others.length} more`
  return {
    _tag: "export",
    kind,
    ...((kind === "patch" || kind === "changes") && first === "" ? {} : { path: `${first || "/workspace"}${more}` }),
    to: output,
    files,
    ...(changedFiles === undefined ? {} : { changedFiles }),
    bytes,
    ...(digest === undefined ? {} : { digest })
  }
}

/**
 * The event of each crossing between a workspace and the host, from the request and the result. A step of the workspace's life records
 * its event by itself, together with its commit, because nothing interrupts the two.
 */
const crossings: Crossings = {
  "workspace.import": ({ sourcePath }, { bytes, files, path }) => ({
    _tag: "import",
    from: sourcePath,
    to: path,
    files,
    bytes
  }),
  "workspace.sync.push": ({ dest, sourcePath }, { bytes, conflictCount, filesPushed }) => ({
    _tag: "sync_push",
    from: sourcePath,
    ...(dest === "" ? {} : { to: dest }),
    files: filesPushed,
    bytes,
    conflicts: conflictCount
  }),
  "workspace.export": ({ path, paths }, event) => {
    if (event._tag !== "Exported" || event.summary.checked === true) return undefined
    return exportEvent({ path, paths }, event.summary)
  },
  "workspace.transfer.read": ({ check, path, paths }, event) => {
    if (event._tag !== "Sent" || check) return undefined
    const { bytes, changedFiles, digest, files, kind } = event
    return exportEvent({ path, paths }, { bytes, changedFiles, digest, files, kind, output: CALLERS_COMPUTER })
  },
  "workspace.disk.export": (_, event) =>
    event._tag === "Exported"
      ? { _tag: "export", kind: "disk", to: event.output, files: 1, bytes: event.writtenBytes }
      : undefined
}

/** Whether the operation crosses between a workspace and the host. */
export const crosses = (name: WorkspacesOperation) => name in crossings

/** Records the event of a crossing before the caller gets the result. */
export const recordCrossing = (name: WorkspacesOperation) => {
  const eventOf = crossings[name] as ((payload: unknown, given: unknown) => NewEvent | undefined) | undefined
  return ({ entry }: { readonly entry: Entry }, payload: unknown) => (given: unknown) => {
    const event = eventOf?.(payload, given)
    return event === undefined ? Effect.void : recordEvent(entry.folder.directory, event)
  }
}
