import { Effect, Stream } from "effect"
import { oneLine } from "../../contract/text/one-line.ts"
import { Terminal } from "../terminal/Terminal.ts"
import { warn } from "./print.ts"

/** The answer to a question; empty at the end of the input. */
export const firstLine = (stdin: Stream.Stream<Uint8Array>): Effect.Effect<string> =>
  stdin.pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.runHead,
    Effect.map((line) => line._tag === "Some" ? line.value : "")
  )

/** Asks a person on the terminal. Undefined if there is none to ask. */
export const asks = (question: string): Effect.Effect<boolean | undefined, never, Terminal> =>
  Effect.gen(function*() {
    const { stderrIsTerminal, stdin, stdinIsTerminal } = yield* Terminal
    if (!stdinIsTerminal || !stderrIsTerminal) return undefined
    yield* warn(`${oneLine(question)} [y/N] `)
    return /^y(es)?$/i.test((yield* firstLine(stdin)).trim())
  })
