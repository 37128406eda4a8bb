import { Effect } from "effect"
import { printable } from "../contract/printable.ts"
import { Manner } from "./manner.ts"
import { Terminal } from "./terminal.ts"

export const print = (text: string) => Effect.flatMap(Terminal, (terminal) => terminal.writeStdout(printable(text)))

/** Text of a guest: as it is for a program, and so that it cannot do anything to a terminal. */
export const printContent = (text: string) =>
  Effect.flatMap(Terminal, (terminal) => terminal.writeStdout(terminal.stdoutIsTerminal ? printable(text) : text))

/** Ends the line of a guest's text on a terminal, so that what is said next has a line of its own; into a file it goes as it is. */
export const endLine = (text: string) =>
  Effect.flatMap(
    Terminal,
    (terminal) =>
      terminal.stdoutIsTerminal && text !== "" && !text.endsWith("\n") ? terminal.writeStdout("\n") : Effect.void
  )

/** What must be known to understand the result. */
export const warn = (text: string) => Effect.flatMap(Terminal, (terminal) => terminal.writeStderr(printable(text)))

/** What is good to know; nothing with `--quiet`. */
export const say = (text: string) => Effect.flatMap(Manner, ({ quiet }) => quiet ? Effect.void : warn(text))

export const size = (bytes: number | undefined) =>
  bytes === undefined
    ? "-"
    : bytes < 1024
    ? `${bytes} B`
    : bytes < 1024 * 1024
    ? `${Math.ceil(bytes / 1024)} KiB`
    : `${Math.round(bytes / (1024 * 1024))} MiB`

/** Hands a command's output on as it comes; its other events say nothing. */
export const showOutput = (
  event: { readonly _tag: string } | {
    readonly _tag: "Output"
    readonly from: "stdout" | "stderr"
    readonly bytes: Uint8Array
  }
) =>
  "bytes" in event
    ? Effect.flatMap(Terminal, (terminal) =>
      event.from === "stdout" ? terminal.writeStdout(event.bytes) : terminal.writeStderr(event.bytes))
    : Effect.void
