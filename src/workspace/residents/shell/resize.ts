import { Deferred, Effect } from "effect"
import type { PyroError } from "../../../contract/errors/errors.ts"
import { attempt } from "../../../system/files/failure.ts"
import type { ScreenSize } from "../../../terminal/screen.ts"
import { unwritten, type WorkspaceFolder } from "../../entry/record.ts"
import type { Command, Commands } from "../exec/commands.ts"
import { type Shell, sizesOf } from "./shell.ts"

/** Changes the size of an open shell's terminal: first for later renderings of its output from here on, then in the guest. */
export const resize = (
  commands: Commands,
  folder: WorkspaceFolder,
  shell: Shell & { readonly command: Command },
  asked: Partial<ScreenSize>
): Effect.Effect<void, PyroError> =>
  Effect.gen(function*() {
    const process = yield* Deferred.await(shell.command.started)
    // The caller's record may be older than earlier changes of the size.
    const last = sizesOf(commands.journal.get(shell.id) ?? shell).at(-1)!
    const { cols = last.cols, rows = last.rows } = asked
    if (last.cols !== cols || last.rows !== rows) {
      const size = { at: shell.log.position, cols, rows }
      yield* Effect.mapError(
        attempt("write", folder.journal, () => commands.journal.resized(shell.id, size)),
        unwritten(folder)
      )
    }
    yield* process.resize({ cols, rows })
  })
