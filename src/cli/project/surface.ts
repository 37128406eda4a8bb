import { Effect } from "effect"
import { oneLine } from "../../contract/text/one-line.ts"
import type { Surface } from "../../project/surface.ts"
import { firstLine } from "../output/ask.ts"
import { note, OutputOptions, warn } from "../output/print.ts"
import { withProgress } from "../output/progress.ts"
import { screens } from "../output/screens.ts"
import { withLogins } from "../perform/logins.ts"
import { Terminal } from "../terminal/Terminal.ts"

/** The terminal of a person who works on a project. `yes`: the person grants what a file asks for. */
export const surfaceOf = (yes: boolean) =>
  Effect.gen(function*() {
    const terminal = yield* Terminal
    const options = yield* OutputOptions
    const here = <A, E>(work: Effect.Effect<A, E, Terminal>) =>
      work.pipe(Effect.provideService(Terminal, terminal), Effect.provideService(OutputOptions, options))
    const decoder = new TextDecoder()
    const surface: Surface = {
      grants: (path, asks) => yes ? Effect.succeed(true) : here(ask(path, asks)),
      withLogins: (operation, payload) => here(withLogins(operation, payload)),
      show: (row, payload, events) => here(withProgress(row, payload, events)),
      // Output of a guest: a terminal gets no control characters of it.
      output: (bytes) => here(note(decoder.decode(bytes, { stream: true }))),
      say: (text) => here(note(`pyro: ${oneLine(text)}\n`)),
      variable: terminal.variable
    }
    return surface
  })

/** Asks on a terminal for what a file asks for, a screen at a time. Without a terminal there is no answer. */
const ask = (path: string, asks: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const { stderrIsTerminal, stdin, stdinIsTerminal } = yield* Terminal
    if (!stdinIsTerminal || !stderrIsTerminal) return false
    const parts = screens(asks.map((one) => `  ${oneLine(one)}`))
    yield* warn(`${oneLine(path)} asks for:\n`)
    for (const [at, lines] of parts.entries()) {
      const which = parts.length === 1 ? "Grant all of it?" : `Grant these, part ${at + 1} of ${parts.length}?`
      yield* warn(`${lines.join("\n")}\n${which} [y/N] `)
      if (!/^y(es)?$/i.test((yield* firstLine(stdin)).trim())) return false
    }
    return true
  })
