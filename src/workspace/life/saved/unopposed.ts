import { Effect } from "effect"
import { InvalidRequest } from "../../../contract/errors/errors.ts"
import type { CreatePayload } from "../../../contract/rows/workspace-lifecycle.ts"
import type { SavedRecord } from "../records/saved.ts"

/** A field of a create whose value comes from the snapshot. */
interface Fixed {
  readonly field: string
  readonly asked: string | number | undefined
  /** A value that says nothing: a field without an answer has its default. */
  readonly silent: ReadonlyArray<string | number | undefined>
  readonly saved: string | number
}

const fixedBy = (workspace: SavedRecord["workspace"], payload: CreatePayload): ReadonlyArray<Fixed> => [
  {
    field: "environment",
    asked: payload.environment,
    silent: ["debian:12"],
    saved: workspace.environment.name
  },
  { field: "vcpu_count", asked: payload.vcpuCount, silent: [1], saved: workspace.vcpuCount },
  { field: "memory_mib", asked: payload.memoryMib, silent: [1024], saved: workspace.memoryMib },
  { field: "disk_mib", asked: payload.diskMib, silent: [16_384], saved: workspace.diskMib },
  { field: "driver", asked: payload.driver, silent: [undefined, "auto"], saved: workspace.driver ?? "qemu" },
  { field: "workspace_user", asked: payload.workspaceUser, silent: ["root"], saved: workspace.workspaceUser }
]

/** Sources of /workspace, which a snapshot has already. */
const sources = ({ allowHome, includeIgnored, repoRef, repoUrl, seedPath }: CreatePayload) =>
  Object.entries({
    seed_path: seedPath !== undefined,
    repo_url: repoUrl !== undefined,
    repo_ref: repoRef !== undefined,
    include_ignored: includeIgnored.length > 0,
    allow_home: allowHome
  })

/** Fails if a create names something that the saved snapshot decides, and names it differently. */
export const demandUnopposed = (
  workspace: SavedRecord["workspace"],
  payload: CreatePayload
): Effect.Effect<void, InvalidRequest> => {
  const source = sources(payload).find(([, isGiven]) => isGiven)
  if (source !== undefined) {
    return new InvalidRequest({ field: source[0], detail: "cannot go with from_snapshot, which has the files already" })
  }
  const opposed = fixedBy(workspace, payload).find(({ asked, saved, silent }) =>
    asked !== saved && !silent.includes(asked)
  )
  return opposed === undefined ? Effect.void : new InvalidRequest({
    field: opposed.field,
    detail: `is ${opposed.saved} in the saved snapshot, and cannot be ${String(opposed.asked)}; leave it out`
  })
}
