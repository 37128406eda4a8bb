import { Context, Effect } from "effect"
import { count } from "../../contract/text/count.ts"
import { jsonText, printable } from "../../contract/text/printable.ts"
import { Terminal } from "../terminal/Terminal.ts"

export const print = (text: string) => Effect.flatMap(Terminal, (terminal) => terminal.writeStdout(printable(text)))

/** Terminals whose last guest's text has no newline at its end. */
const unended = new WeakSet<object>()

/** Prints a guest's text: unchanged for a program, escaped for a terminal. */
export const printContent = (text: string) =>
  Effect.flatMap(Terminal, (terminal) => {
    if (text !== "") unended[text.endsWith("\n") ? "delete" : "add"](terminal)
    return terminal.writeStdout(terminal.stdoutIsTerminal ? printable(text) : text)
  })

/** Decoders with the state of characters that are split between two pieces. */
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
 * Prints a note after a guest's texts, on its own line. Stdout that is not a terminal gets the texts
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

/** Prints one JSON document per line. */
export const printJsonLines = (documents: ReadonlyArray<unknown>) =>
  Effect.flatMap(
    Terminal,
    (terminal) => terminal.writeStdout(documents.map((document) => `${jsonText(document)}\n`).join(""))
  )

/** Options of a command line's output. */
export interface OutputOptions {
  /** Print the result and errors only. */
  readonly quiet: boolean
  /** Names of the given switches, without dashes. */
  readonly switches: ReadonlySet<string>
}

export const OutputOptions: Context.Reference<OutputOptions> = Context.Reference("pyro/cli/OutputOptions", {
  defaultValue: (): OutputOptions => ({ quiet: false, switches: new Set() })
})

const UNITS = [[86_400_000, "d"], [3_600_000, "h"], [60_000, "min"], [1000, "s"]] as const

/** `3 min ago`, for people. */
export const ago = (iso: string, nowMs: number): string => {
  const ms = Math.max(0, nowMs - Date.parse(iso))
  const [unit, letter] = UNITS.find(([unit]) => ms >= unit) ?? [1000, "s"]
  return `${Math.floor(ms / unit)} ${letter} ago`
}

/** A duration in the unit that people would use. */
export const duration = (ms: number) =>
  ms < 1000 ? `${Math.round(ms)} ms` : ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : `${(ms / 60_000).toFixed(1)} min`

/** Wraps words into indented lines of at most `width` columns. A longer word has a line of its own. */
export const wrapped = (
  text: string,
  { indent, width }: { readonly indent: number; readonly width: number }
): string => {
  const lines: Array<string> = []
  let line = ""
  for (const word of text.split(/[ \n]/)) {
    if (line !== "" && indent + line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === "" ? word : `${line} ${word}`
  }
  return [...lines, line].map((one) => " ".repeat(indent) + one).join("\n")
}

/** Warns about bytes of a command's output that its log no longer has. */
export const warnDropped = (bytes = 0) =>
  bytes > 0
    ? warn(`pyro: ${count(bytes, "byte")} of the output ${bytes === 1 ? "was" : "were"} dropped here\n`)
    : Effect.void
