import { Effect } from "effect"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import { DEFAULT_CWD } from "../../contract/rows/command.ts"
import type { RunPayload } from "../../contract/rows/run.ts"
import { named } from "../../contract/text/names.ts"
import type { Owner } from "../../disk/SeedImages.ts"
import type { OciOrigin } from "../../environment/catalogue.ts"
import type { WorkspaceRecord } from "../entry/record.ts"
import { recordedDefaults } from "../residents/command-defaults.ts"

/** NAME=VALUE as a pair. Entries without a name are left out, as container engines do. */
const variable = (text: string): ReadonlyArray<readonly [string, string]> => {
  const at = text.indexOf("=")
  return at > 0 ? [[text.slice(0, at), text.slice(at + 1)]] : []
}

/** The image's variables, and over them the request's. */
const merged = ({ config }: OciOrigin, env: Readonly<Record<string, string>> = {}) =>
  named([...config.env.flatMap(variable), ...Object.entries(env)])

/** The image's directory, unless there is a seed: then commands begin in /workspace, where the seed is. */
const directoryOf = (
  { config: { workingDirectory } }: OciOrigin,
  { repoUrl, seedPath }: { readonly seedPath?: string | undefined; readonly repoUrl?: string | undefined }
) => (seedPath ?? repoUrl) === undefined ? workingDirectory : undefined

/** Owner of the files of a workspace's seed and of /workspace: the image's user, as a builder has found the ids. Undefined: root. */
export const ownerOfImage = (oci: OciOrigin | undefined): Owner | undefined => {
  const [, uid, gid] = /^(\d+):(\d+)$/.exec(oci?.config.user ?? "") ?? []
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) }
}

/** Gives a new workspace what its image says of programs: variables, user and directory. What the request says wins. */
export const withImage = (record: WorkspaceRecord, oci: OciOrigin | undefined): WorkspaceRecord => {
  if (oci === undefined) return record
  const { user } = oci.config
  return {
    ...record,
    ...recordedDefaults({
      env: merged(oci, record.env),
      cwd: record.cwd ?? directoryOf(oci, record)
    }),
    ...(user === undefined || record.workspaceUser !== "root" ? {} : { user })
  }
}

/** The same for one command in a microVM of its own. Without a command, the image's entrypoint and command run. */
export const runWithImage = (
  payload: RunPayload,
  oci: OciOrigin | undefined
): Effect.Effect<RunPayload, InvalidRequest> => {
  if (oci === undefined) return Effect.succeed(payload)
  const { command, entrypoint, user } = oci.config
  // The request cannot say whether somebody named /workspace.
  const cwd = payload.cwd === DEFAULT_CWD ? directoryOf(oci, payload) : undefined
  const isNothing = payload.command.length === 0 && payload.script === undefined
  const own = [...entrypoint, ...command]
  if (isNothing && own.length === 0) {
    return new InvalidRequest({ field: "command", detail: "nothing to run: the image names no command, so give one" })
  }
  return Effect.succeed({
    ...payload,
    env: merged(oci, payload.env),
    ...(cwd === undefined ? {} : { cwd }),
    ...(user === undefined || payload.user !== undefined || payload.workspaceUser !== "root" ? {} : { user }),
    ...(isNothing ? { command: own } : {})
  })
}
