import { Effect } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import { payloadOf } from "../../contract/rows/payload-of.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import type { DeletePayload } from "../../contract/rows/workspace-reset.ts"
import { count } from "../../contract/text/count.ts"
import { firstLine } from "../output/ask.ts"
import { OutputOptions, warn } from "../output/print.ts"
import { Terminal } from "../terminal/Terminal.ts"

/** Maximum names in a question. */
const MOST_NAMES = 5

/** Asks on a terminal whether to delete all workspaces. True without a question in a script. */
export const confirmDeleteAll = (
  pyro: PyroService,
  payload: DeletePayload
): Effect.Effect<boolean, PyroError, Terminal> =>
  Effect.gen(function*() {
    const terminal = yield* Terminal
    const { switches } = yield* OutputOptions
    if (!payload.all || switches.has("yes") || !terminal.stdinIsTerminal || !terminal.stderrIsTerminal) return true
    const { workspaces } = yield* pyro.workspace.list(payloadOf("workspace.list", {}))
    if (workspaces.length === 0) return true
    const names = workspaces.map(({ id, name }) => name ?? id)
    const more = names.length > MOST_NAMES ? ", …" : ""
    const listed = `(${names.slice(0, MOST_NAMES).join(", ")}${more})`
    // A list that cannot be had must not prevent the deletion.
    const { saved } = yield* Effect.orElseSucceed(pyro.saved.list({}), () => ({ saved: [] }))
    const stay = saved.length === 0 ? "" : ` ${count(saved.length, "saved snapshot")} will stay (pyro saved list).`
    yield* warn(
      names.length === 1
        ? `Delete the workspace ${listed} with everything in it?${stay} [y/N] `
        : `Delete all ${names.length} workspaces ${listed} with everything in them?${stay} [y/N] `
    )
    const answer = yield* firstLine(terminal.stdin)
    const isMeant = /^y(es)?$/i.test(answer.trim())
    if (!isMeant) yield* warn("nothing was deleted\n")
    return isMeant
  })
