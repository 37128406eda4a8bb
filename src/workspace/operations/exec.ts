import { Effect } from "effect"
import { ExecNotFound, type IdAmbiguous, InvalidRequest } from "../../contract/errors/errors.ts"
import { begunBy, onlyOne } from "../entry/prefix.ts"
import { runningGeneration, standstillOf } from "../life/engine/running.ts"
import { cancel } from "../residents/exec/cancel.ts"
import type { Commands } from "../residents/exec/command-registry.ts"
import { resize, signal } from "../residents/exec/control.ts"
import { exec } from "../residents/exec/exec.ts"
import { logs } from "../residents/exec/logs.ts"
import { stdin } from "../residents/exec/stdin.ts"
import type { Works } from "./work.ts"

/** Number of digits of a whole id. */
const WHOLE = 32

interface Request {
  readonly workspace: string
  readonly execId?: string
  readonly command?: ReadonlyArray<string>
  readonly script?: string
}

/** Replaces the prefix of an id in a request by the whole id of the command. Only a whole id starts a command. */
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

/** Whether a request starts a command, and does not follow one. */
export const startsCommand = ({ journal }: Commands, { command = [], execId, script }: Request) =>
  (command.length > 0 || script !== undefined) && (execId === undefined || journal.get(execId) === undefined)

/** The work of the operations on commands. */
export const execWorks = {
  "workspace.exec": {
    pulls: ({ commands, entry }, payload, input) =>
      Effect.gen(function*() {
        const { memoryMib, user, workspaceUser } = yield* entry.record.now
        // No VM is needed to follow a command that the workspace knows.
        const running = Effect.map(
          runningGeneration(entry, "workspace.exec"),
          (generation) => ({ ...generation, memoryMib })
        )
        const asked = { ...yield* withExecId(commands, payload), user: payload.user ?? user ?? workspaceUser }
        return yield* exec(commands, running, asked, input, standstillOf(entry))
      })
  },
  "workspace.logs": ({ commands }, payload) =>
    Effect.flatMap(withExecId(commands, payload), (whole) => logs(commands, whole)),
  "workspace.cancel": ({ commands }, payload) =>
    Effect.flatMap(withExecId(commands, payload), (whole) => cancel(commands, whole)),
  "workspace.signal": ({ commands }, payload) =>
    Effect.flatMap(withExecId(commands, payload), (whole) => signal(commands, whole)),
  "workspace.resize": ({ commands }, payload) =>
    Effect.flatMap(withExecId(commands, payload), (whole) => resize(commands, whole)),
  "workspace.stdin": ({ commands }, payload) =>
    Effect.flatMap(withExecId(commands, payload), (whole) => stdin(commands, whole))
} satisfies Partial<Works>
