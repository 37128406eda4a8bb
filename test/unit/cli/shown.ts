import { Effect, Ref, Stream } from "effect"
import { Terminal } from "../../../src/cli/terminal/Terminal.ts"
import type { View } from "../../../src/cli/views/view.ts"
import { views } from "../../../src/cli/views/views.ts"
import type { OperationName, PayloadOf, ResultOf } from "../../../src/contract/rows/operations.ts"

/** What a view writes: `out` is the result, `err` what is said beside it. Fields that do not matter may be left out. */
export const shown = <Name extends OperationName>(
  name: Name,
  result: Partial<ResultOf<Name>>,
  payload: Partial<PayloadOf<Name>>,
  stdoutIsTerminal = false,
  cols = 132
) => shownPages(name, [result], payload, stdoutIsTerminal, cols)

/** The same for several pages of a result, one after the other. */
export const shownPages = <Name extends OperationName>(
  name: Name,
  results: ReadonlyArray<Partial<ResultOf<Name>>>,
  payload: Partial<PayloadOf<Name>>,
  stdoutIsTerminal = false,
  cols = 132
) =>
  Effect.runPromise(Effect.gen(function*() {
    const written = { out: yield* Ref.make(""), err: yield* Ref.make("") }
    const to = (one: Ref.Ref<string>) => (data: Uint8Array | string) => Ref.update(one, (text) => `${text}${data}`)
    const view = views[name as keyof typeof views] as View<Name>
    const print = (result: Partial<ResultOf<Name>>) => view.result(result as ResultOf<Name>, payload as PayloadOf<Name>)
    yield* Effect.forEach(results, print, { discard: true }).pipe(
      Effect.provideService(Terminal, {
        stdinIsTerminal: false,
        stdinIsNull: false,
        hasUnreadStdin: Effect.succeed(false),
        stdoutIsTerminal,
        stderrIsTerminal: false,
        outputsAreOne: false,
        colour: false,
        writeStdout: to(written.out),
        writeStderr: to(written.err),
        stdin: Stream.empty,
        size: Effect.succeed({ rows: 50, cols }),
        resizes: Stream.empty,
        interceptSignal: Effect.succeed(Effect.never),
        raw: Effect.void,
        guard: Effect.succeed(() => {}),
        readFile: () => Effect.die("no files"),
        openFile: () => Effect.die("a view opens no file"),
        resolvePath: (path) => path,
        variable: () => undefined,
        workspace: undefined,
        type: "xterm"
      })
    )
    return { out: yield* Ref.get(written.out), err: yield* Ref.get(written.err) }
  }))
