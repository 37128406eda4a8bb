import { Effect } from "effect"
import * as path from "node:path"
import { InvalidRequest } from "../../../contract/errors/errors.ts"
import { DEFAULT_CWD } from "../../../contract/rows/command.ts"
import type { Entry } from "../../entry/entry.ts"
import type { WorkspaceRecord } from "../../entry/record.ts"

/** Defaults of a workspace for each command, shell and service. */
export type CommandDefaults = Pick<WorkspaceRecord, "env" | "cwd">

/** Defaults of commands without a workspace, such as those of tests. */
export const noDefaults: Effect.Effect<CommandDefaults> = Effect.succeed({})

/** The defaults of a workspace as its record has them now. */
export const defaultsOf = ({ record }: Pick<Entry, "record">): Effect.Effect<CommandDefaults> => record.now

/** A relative directory is relative to /workspace, not to the directory of the workspace: its meaning never changes. */
export const directoryOf = (own: string | undefined, { cwd }: CommandDefaults = {}): string =>
  path.posix.resolve(DEFAULT_CWD, own ?? cwd ?? DEFAULT_CWD)

/** Defaults for a record: without empty ones. */
export const recordedDefaults = ({ cwd, env = {} }: CommandDefaults): CommandDefaults => ({
  ...(Object.keys(env).length === 0 ? {} : { env }),
  ...(cwd === undefined || directoryOf(cwd) === DEFAULT_CWD ? {} : { cwd })
})

/** Maximum bytes of a workspace's variables. A message that starts a command has 64 KiB, and the command needs a part. */
const MAX_BYTES = 16_384

/** Fails if the variables leave no room for a command. */
export const demandRoom = (env: CommandDefaults["env"] = {}): Effect.Effect<void, InvalidRequest> => {
  const bytes = Object.entries(env).reduce((sum, [name, value]) => sum + Buffer.byteLength(`${name}=${value}`) + 1, 0)
  return bytes <= MAX_BYTES
    ? Effect.void
    : new InvalidRequest({
      field: "env",
      detail: `has ${bytes} bytes; a workspace has at most ${MAX_BYTES}. Write long values to a file of the workspace`
    })
}
