import { Effect } from "effect"
import { InvalidRequest } from "../../../contract/errors/errors.ts"
import { DEFAULT_CWD } from "../../../contract/rows/command.ts"
import type { RunPayload } from "../../../contract/rows/run.ts"
import { named } from "../../../contract/text/names.ts"
import { signalNumber } from "../../../contract/text/signals.ts"
import type { Owner } from "../../../lib/disk/SeedImages.ts"
import type { OciOrigin } from "../../../lib/environment/model/catalogue.ts"
import { userOf } from "../../../lib/environment/model/image-config.ts"
import type { WorkspaceRecord } from "../../entry/record.ts"
import { recordedDefaults } from "../../residents/program/command-defaults.ts"

const NAMED_PORTS = 8

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

/** Maximum characters of a command that a record keeps. A message that starts a command has 64 KiB. */
const MOST_CHARACTERS = 65_536

/** The image's own command, for a record. */
export const recordedProgram = (oci: OciOrigin | undefined): Pick<WorkspaceRecord, "image"> => {
  if (oci === undefined) return {}
  const { command, entrypoint, healthCheck, shell, stopSignal } = oci.config
  const image = { command, entrypoint, healthCheck, shell, stopSignal }
  return command.length + entrypoint.length === 0 || JSON.stringify(image).length > MOST_CHARACTERS ? {} : { image }
}

/** The ports that an image's programs listen on, for a sentence. Undefined: it names none. */
export const portsOfImage = (oci: OciOrigin | undefined): string | undefined => {
  const ports = oci?.config.exposedPorts.filter((port) => /^\d{1,5}(\/[a-z]{1,5})?$/.test(port)) ?? []
  const more = ports.length - NAMED_PORTS
  return ports.length === 0
    ? undefined
    : `${ports.slice(0, NAMED_PORTS).join(", ")}${more > 0 ? ` and ${more} more` : ""}`
}

/** Gives a new workspace the variables, user and directory of its image. Values of the request win. */
export const withImage = (record: WorkspaceRecord, oci: OciOrigin | undefined): WorkspaceRecord => {
  if (oci === undefined) return record
  const user = userOf(oci.config)
  return {
    ...record,
    ...recordedDefaults({
      env: merged(oci, record.env),
      cwd: record.cwd ?? directoryOf(oci, record)
    }),
    ...(user === undefined || record.workspaceUser !== "root" ? {} : { user }),
    ...recordedProgram(oci)
  }
}

/** A run, with the signal that ends the image's own command. */
export type RunOfImage = RunPayload & {
  readonly isImageCommand?: true
  readonly stopSignal?: number | undefined
}

/** The same for one command in a microVM of its own. Without a command, the image's entrypoint and command run. */
export const runWithImage = (
  payload: RunPayload,
  oci: OciOrigin | undefined,
  hasInput: boolean
): Effect.Effect<RunOfImage, InvalidRequest> => {
  const isNothing = payload.command.length === 0 && payload.script === undefined
  if (oci === undefined) {
    // A shell without input ends at once.
    return isNothing && !payload.tty && !hasInput
      ? new InvalidRequest({
        field: "command",
        detail: `nothing to run: ${payload.environment} is of no image, and only images have a command of their own`
      })
      : Effect.succeed(payload)
  }
  const { command, entrypoint } = oci.config
  const user = userOf(oci.config)
  // The request does not show whether its /workspace is a default or a choice.
  const cwd = payload.cwd === DEFAULT_CWD ? directoryOf(oci, payload) : undefined
  const own = [...entrypoint, ...command]
  if (isNothing && own.length === 0) {
    return new InvalidRequest({ field: "command", detail: "nothing to run: the image names no command, so give one" })
  }
  return Effect.succeed({
    ...payload,
    env: merged(oci, payload.env),
    ...(cwd === undefined ? {} : { cwd }),
    ...(user === undefined || payload.user !== undefined || payload.workspaceUser !== "root" ? {} : { user }),
    ...(isNothing
      ? { isImageCommand: true as const, command: own, stopSignal: signalNumber(oci.config.stopSignal ?? "") }
      : {})
  })
}
