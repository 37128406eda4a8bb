import { Effect, Schema } from "effect"
import { InvalidRequest, type PyroError } from "../contract/errors/errors.ts"
import type { PayloadOf } from "../contract/rows/operations.ts"
import type { PyroService } from "../contract/rows/Pyro.ts"
import { ExecPayload } from "../contract/rows/workspace-exec.ts"
import { typed } from "../contract/text/printable.ts"
import type { Typed } from "./parser.ts"
import { note } from "./print.ts"

/** Options of `workspace logs` that ask for one page or for a list. */
const OF_ONE_PAGE = ["encoding", "max_bytes", "limit"]

/** Refuses the options that --follow cannot be combined with. */
export const checkFollow = ({ extras, json, raw }: Typed): Effect.Effect<void, InvalidRequest> => {
  if (extras["follow"] === undefined) return Effect.void
  if (json) {
    return new InvalidRequest({
      field: "--follow",
      detail: "cannot be combined with --json; pyro exec NAME --exec-id ID --json waits for the command's end"
    })
  }
  const other = OF_ONE_PAGE.find((name) => raw[name] !== undefined)
  return other === undefined
    ? Effect.void
    : new InvalidRequest({ field: "--follow", detail: `cannot be combined with --${other.replaceAll("_", "-")}` })
}

/** Refuses a word that cannot be the id of a command. It may be the name of a service, which has a log of its own. */
export const checkExecId = (operation: string, { raw }: Typed): Effect.Effect<void, InvalidRequest> => {
  const { exec_id: id, workspace } = raw
  if (
    operation !== "workspace.logs" || typeof id !== "string" || typeof workspace !== "string" || /^[0-9a-f]*$/.test(id)
  ) {
    return Effect.void
  }
  return new InvalidRequest({
    field: "--exec-id",
    detail: `must be 32 lower-case hexadecimal digits, or the first of them. The log of a service: ${
      typed(["pyro", "service", "logs", workspace, id])
    }`
  })
}

/**
 * The exec that listens to the command which `workspace logs --follow` names. Without an id it is the newest running command, or the
 * newest one if none runs: a short command may have ended already. Nothing where no command ever ran.
 */
export const followingExec = (pyro: PyroService, { cursor, execId, workspace }: PayloadOf<"workspace.logs">) =>
  Effect.gen(function*() {
    const id = execId ?? (yield* newest(pyro, workspace))
    if (id === undefined) return undefined
    return yield* Effect.orDie(Schema.decodeUnknownEffect(ExecPayload())({ workspace, exec_id: id, cursor }))
  })

const newest = (pyro: PyroService, workspace: string): Effect.Effect<string | undefined, PyroError> =>
  Effect.gen(function*() {
    const { running } = yield* pyro.workspace.status({ workspace })
    const runs = running?.at(-1)?.execId
    if (runs !== undefined) return runs
    const { commands } = yield* pyro.workspace.logs({ workspace, cursor: 0, encoding: "text", limit: 1 })
    return commands.at(-1)?.execId
  })

export const nothingRan = (workspace: string) => note(`no commands in ${workspace} yet\n`)
