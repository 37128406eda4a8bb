import { Effect } from "effect"
import { jsonText, printable } from "../contract/text/printable.ts"
import { OutputOptions } from "./output-options.ts"
import { Terminal } from "./terminal.ts"

export const print = (text: string) => Effect.flatMap(Terminal, (terminal) => terminal.writeStdout(printable(text)))

/** Outputs whose last guest's text has not ended its line. */
const unended = new WeakSet<object>()

/** Prints a guest's text: unchanged for a program, escaped for a terminal. */
export const printContent = (text: string) =>
  Effect.flatMap(Terminal, (terminal) => {
    if (text !== "") unended[text.endsWith("\n") ? "delete" : "add"](terminal)
    return terminal.writeStdout(terminal.stdoutIsTerminal ? printable(text) : text)
  })

/** Characters whose bytes come in two pieces. */
const decoders = new WeakMap<object, InstanceType<typeof TextDecoder>>()

/** Prints a piece of a guest's file: its bytes for a program, escaped text for a terminal. */
export const printPiece = (bytes: Uint8Array) =>
  Effect.flatMap(Terminal, (terminal) => {
    if (!terminal.stdoutIsTerminal) return terminal.writeStdout(bytes)
    const decoder = decoders.get(terminal) ?? new TextDecoder("utf-8", { ignoreBOM: true })
    decoders.set(terminal, decoder)
    return printContent(decoder.decode(bytes, { stream: true }))
  })

/** Ends the last line of a guest's text on a terminal. A file gets the text unchanged. */
export const endLine = (text: string) =>
  Effect.flatMap(
    Terminal,
    (terminal) =>
      terminal.stdoutIsTerminal && text !== "" && !text.endsWith("\n") ? terminal.writeStdout("\n") : Effect.void
  )

/** Prints a text that the reader needs to understand the result. */
export const warn = (text: string) => Effect.flatMap(Terminal, (terminal) => terminal.writeStderr(printable(text)))

/**
 * Prints a note behind guest's texts, of several pages perhaps, on a line of its own. Stdout that is no terminal gets the texts
 * unchanged: both outputs may be one file.
 */
export const noteOnNewLine = (text: string) =>
  Effect.flatMap(Terminal, (terminal) => {
    if (!unended.delete(terminal)) return note(text)
    return terminal.stdoutIsTerminal ? Effect.andThen(terminal.writeStdout("\n"), note(text)) : note(`\n${text}`)
  })

/** Prints a note, unless `--quiet` is given. */
export const note = (text: string) => Effect.flatMap(OutputOptions, ({ quiet }) => quiet ? Effect.void : warn(text))

export const size = (bytes: number | undefined) =>
  bytes === undefined
    ? "-"
    : bytes < 1024
    ? `${bytes} B`
    : bytes < 1024 * 1024
    ? `${Math.ceil(bytes / 1024)} KiB`
    : `${Math.round(bytes / (1024 * 1024))} MiB`

/** Prints a command's output as it arrives. Other events print nothing. */
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

/** The one JSON document of `--json`. */
export const printJson = (document: unknown) =>
  Effect.flatMap(
    Terminal,
    (terminal) => terminal.writeStdout(jsonText(document, terminal.stdoutIsTerminal ? 2 : undefined) + "\n")
  )

/** One JSON document a line. */
export const printJsonLines = (documents: ReadonlyArray<unknown>) =>
  Effect.flatMap(
    Terminal,
    (terminal) => terminal.writeStdout(documents.map((document) => `${jsonText(document)}\n`).join(""))
  )
