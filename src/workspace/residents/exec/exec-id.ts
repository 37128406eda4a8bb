import { Effect } from "effect"
import { ExecNotFound, type IdAmbiguous, InvalidRequest } from "../../../contract/errors/errors.ts"
import { begunBy, onlyOne } from "../../entry/prefix.ts"
import type { Commands } from "./commands.ts"

/** Digits of a whole id. */
const WHOLE = 32

interface Request {
  readonly workspace: string
  readonly execId?: string
  readonly command?: ReadonlyArray<string>
  readonly script?: string
}

/** The request with the whole id of the command that it names by a prefix. A command is started by a whole id only. */
export const withExecId = <Payload extends Request>(
  commands: Commands,
  payload: Payload
): Effect.Effect<Payload, ExecNotFound | IdAmbiguous | InvalidRequest> =>
  Effect.gen(function*() {
    const { command = [], execId, script, workspace } = payload
    if (execId === undefined || execId.length >= WHOLE) return payload
    if (command.length > 0 || script !== undefined) {
      return yield* new InvalidRequest({
        field: "exec_id",
        detail: `a new command needs a whole id, ${WHOLE} lower-case hexadecimal digits`
      })
    }
    const begun = begunBy(execId, commands.journal.commands.map(({ start }) => start.id))
    const whole = execId === "" ? undefined : yield* onlyOne("command", execId, begun)
    if (whole === undefined) return yield* new ExecNotFound({ workspace, execId })
    return { ...payload, execId: whole }
  })
