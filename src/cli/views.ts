import { Effect } from "effect"
import type { Notice } from "../contract/notice.ts"
import type { EventOf, OperationName, ResultOf } from "../contract/operations.ts"
import { printable } from "../contract/printable.ts"
import type { OutputClosed } from "./terminal.ts"
import { Terminal } from "./terminal.ts"

/** How one operation is shown to people. */
interface View<Name extends OperationName> {
  /** Shows an event when it comes; notices are shown elsewhere. */
  readonly event?: (event: Exclude<EventOf<Name>, Notice>) => Effect.Effect<void, OutputClosed, Terminal>
  readonly result: (result: ResultOf<Name>) => Effect.Effect<void, OutputClosed, Terminal>
}

const print = (text: string) => Effect.flatMap(Terminal, (terminal) => terminal.writeStdout(printable(text)))
const say = (text: string) => Effect.flatMap(Terminal, (terminal) => terminal.writeStderr(printable(text)))

const size = (bytes: number | undefined) =>
  bytes === undefined
    ? "-"
    : bytes < 1024 * 1024
    ? `${Math.ceil(bytes / 1024)} KiB`
    : `${Math.round(bytes / (1024 * 1024))} MiB`

const columns = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => (row[at] ?? "").length)))
  return rows
    .map((row) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join("  ").trimEnd() + "\n")
    .join("")
}

const removed = (result: ResultOf<"env.rm">) =>
  print(
    result.removed.map((one) => `removed ${one}\n`).join("") +
      (result.removed.length === 0 && result.freedBytes === 0
        ? "nothing to remove\n"
        : `${size(result.freedBytes)} freed\n`)
  )

export const views: { readonly [Name in OperationName]: View<Name> } = {
  "run": {
    event: (event) =>
      event._tag !== "Output"
        ? Effect.void
        : Effect.flatMap(Terminal, (terminal) =>
          event.from === "stdout" ? terminal.writeStdout(event.bytes) : terminal.writeStderr(event.bytes)),
    result: (result) => {
      switch (result.outcome) {
        case "exited":
          return Effect.void
        case "signaled":
          return say(`pyro: signal ${result.signal ?? result.status - 128} ended the command\n`)
        case "timed_out":
          return say(`pyro: the command ran past its timeout and was killed (--timeout-seconds)\n`)
        case "out_of_memory":
          return say(`pyro: the guest ran out of memory and killed the command; give it more with --mem-mib\n`)
      }
    }
  },
  "env.list": {
    result: ({ environments }) =>
      print(columns([
        ["NAME", "STATE", "SIZE", "DIGEST", "DESCRIPTION"],
        ...environments.map((one) => [
          one.name,
          one.state,
          size(one.sizeBytes),
          one.digest?.replace(/^sha256:/, "").slice(0, 12) ?? "-",
          one.description
        ])
      ]))
  },
  "env.pull": {
    result: (environment) =>
      print(`${environment.name} is ${environment.state}: ${environment.digest ?? "no digest"}\n`)
  },
  "env.inspect": {
    result: (environment) =>
      print(
        columns([
          ["name", environment.name],
          ["description", environment.description],
          ["state", environment.state],
          ["digest", environment.digest ?? "-"],
          ["size", size(environment.sizeBytes)],
          ["built", environment.builtAt ?? "-"],
          ["image", environment.imagePath ?? "-"],
          ["kernel", environment.kernelVersion ?? "-"],
          ["packages", String(environment.packages.length)]
        ]) + columns(environment.packages.map((one) => ["  " + one.name, one.version]))
      )
  },
  "env.rm": { result: removed },
  "env.prune": { result: removed },
  "doctor": {
    event: (line) =>
      print(
        `${line.ok ? "ok    " : "WRONG "}${line.name}: ${line.found}\n` +
          (line.mend === undefined ? "" : `      ${line.ok ? "better" : "mend it"} with: ${line.mend}\n`)
      ),
    result: ({ lines, ok }) =>
      print(ok ? "all is well\n" : `${lines.filter((line) => !line.ok).length} of ${lines.length} need mending\n`)
  },
  "gc": {
    result: ({ freedBytes, swept }) =>
      print(
        swept.map(({ kind, what }) => `swept ${kind} ${what}\n`).join("") +
          (swept.length === 0 ? "nothing to sweep\n" : `${size(freedBytes)} freed\n`)
      )
  }
}
