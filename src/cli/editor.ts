import { Effect } from "effect"
import { InvalidRequest, type PyroError } from "../contract/errors/errors.ts"
import { Pyro } from "../contract/rows/Pyro.ts"
import { typed } from "../contract/text/printable.ts"
import { decode, parse } from "./arguments/parser.ts"
import { note, OutputOptions, print } from "./output/print.ts"
import { codeCommand, CodePayload, editorNames } from "./rows/editor.ts"
import { type OutputClosed, Terminal } from "./terminal/Terminal.ts"
import { writeEntry } from "./views/ssh.ts"

/** Performs `workspace code`, and returns the exit status: that of the editor's program. */
export const performCode = (
  words: ReadonlyArray<string>,
  rest: ReadonlyArray<string> | undefined
): Effect.Effect<number, PyroError | OutputClosed, Pyro | Terminal> =>
  Effect.gen(function*() {
    const { workspace: known } = yield* Terminal
    const { quiet, raw } = yield* parse(codeCommand, words, rest, { workspace: known })
    const payload = yield* decode(codeCommand.cli, CodePayload(), raw)
    const pyro = yield* Pyro
    const config = yield* pyro.workspace.ssh.config({ workspace: payload.workspace })
    const directory = payload.directory ?? config.cwd
    if (!directory.startsWith("/")) {
      return yield* new InvalidRequest({ field: "directory", detail: "must be an absolute path of the guest" })
    }
    return yield* Effect.gen(function*() {
      const written = Effect.onInterrupt(
        writeEntry(config, payload),
        () => note(`pyro: interrupted: no editor was opened, and ${payload.workspace} stays\n`)
      )
      if (!(yield* written)) {
        yield* print("nothing was written, and no editor was opened\n")
        return 1
      }
      const { editors, openEditor } = yield* Effect.promise(() => import("../lib/ssh/client-editors.ts"))
      const wanted = payload.editor === undefined ? editorNames : [payload.editor]
      for (const name of wanted) {
        const argv = editors[name].argv?.(config.host, directory)
        if (argv === undefined) continue
        const status = yield* openEditor(argv)
        if (status === "absent") continue
        yield* note(`pyro: ${typed(argv)}\n`)
        return status
      }
      const hints = wanted.map((name) => `  ${editors[name].byHand(config.host, directory)}\n`)
      const absent = wanted.filter((name) => editors[name].argv !== undefined)
      yield* print(
        `${absent.length === 0 ? "" : `this host has no program ${absent.join(" or ")}. `}By hand:\n${hints.join("")}`
      )
      return absent.length === 0 ? 0 : 1
    }).pipe(Effect.provideService(OutputOptions, { quiet, switches: new Set<string>() }))
  })
