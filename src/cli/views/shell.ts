import { Clock, Effect } from "effect"
import { shellStateText, shellWaitText } from "../../contract/rows/resident-text.ts"
import type { ShellInfo } from "../../contract/rows/shell-fields.ts"
import type { ShellReadPayload } from "../../contract/rows/workspace-shell-io.ts"
import { typed } from "../../contract/text/printable.ts"
import { ago, endLine, note, OutputOptions, print, printContent, size, warn, warnDropped } from "../output/print.ts"
import { type Cell, painted, printTable } from "../output/table.ts"
import type { Views } from "./view.ts"

const outcomeOf = ({ inherited, outcome, status }: ShellInfo): Cell =>
  outcome === "running"
    ? painted("green", inherited === true ? "open, inherited" : "open")
    : outcome === "exited"
    ? painted(status === 0 ? "dim" : "red", `exit ${status ?? "?"}`)
    : painted("red", outcome.replaceAll("_", " "))

const commandLine = ({ command }: ShellInfo) => command.length === 0 ? "bash -l" : typed(command).slice(0, 300)

const table = (shells: ReadonlyArray<ShellInfo>) =>
  Effect.flatMap(Clock.currentTimeMillis, (nowMs) =>
    printTable([
      ["ID", "OPENED", "STATE", "SIZE", "OUTPUT", "COMMAND"],
      ...shells.map((one) => [
        one.shellId,
        ago(one.startedAt, nowMs),
        outcomeOf(one),
        `${one.cols}x${one.rows}`,
        size(one.outputBytes),
        commandLine(one)
      ])
    ], { head: true, flexible: [5] }))

/** The command that shows the output from a position. */
const readCommand = (
  { plain, shellId, waitForIdleMs, workspace }: Pick<
    ShellReadPayload,
    "plain" | "shellId" | "waitForIdleMs" | "workspace"
  >,
  cursor: number
) =>
  [
    `pyro shell read ${workspace} ${shellId}`,
    ...(plain ? ["--plain"] : []),
    `--cursor ${cursor}`,
    ...(waitForIdleMs === undefined ? [] : [`--wait-for-idle-ms ${waitForIdleMs}`])
  ].join(" ")

export const shellViews = {
  "workspace.shell.open": {
    result: ({ shellId }, { workspace }) =>
      Effect.flatMap(OutputOptions, ({ switches }) =>
        Effect.andThen(
          print(`${shellId}\n`),
          switches.has("id-only")
            ? Effect.void
            : note(
              `the shell is open. Read it: pyro shell read ${workspace} ${shellId.slice(0, 8)} --plain\n`
            )
        ))
  },
  "workspace.shell.list": {
    result: ({ shells }, { workspace }) =>
      shells.length === 0 ? note(`no shells. Open one: pyro shell open ${workspace}\n`) : table(shells)
  },
  "workspace.shell.read": {
    result: (screen, asked) =>
      Effect.gen(function*() {
        const { plain } = asked
        const { nextCursor, outcome, output, skippedBytes, truncated } = screen
        const missing = shellWaitText(screen, asked)
        yield* warnDropped(skippedBytes)
        if (plain && truncated) yield* note("pyro: earlier lines are left out\n")
        yield* plain ? print(output === "" ? "" : `${output}\n`) : printContent(output)
        if (!plain) yield* endLine(output)
        if (missing !== undefined) yield* warn(`pyro: ${missing}\n`)
        const isRunning = outcome === "running"
        if (!isRunning) yield* note(`pyro: the program ${shellStateText(screen)}\n`)
        // A cut screen lacks earlier lines, and a cut log lacks later bytes.
        if (isRunning || (!plain && truncated)) yield* note(`pyro: continue: ${readCommand(asked, nextCursor)}\n`)
      })
  },
  "workspace.shell.write": {
    result: ({ cursor }, asked) =>
      note(`pyro: see what it did: ${readCommand({ ...asked, plain: true, waitForIdleMs: 500 }, cursor)}\n`)
  },
  // attach.ts shows its events, because it has the terminal.
  "workspace.shell.attach": {
    result: () => Effect.void,
    perform: (pyro, payload, json) =>
      Effect.promise(() => import("./attach.ts")).pipe(
        Effect.flatMap(({ performAttach }) => performAttach(pyro, payload, json)),
        Effect.map((result) => ({ _tag: "Result", result }))
      )
  },
  "workspace.shell.resize": {
    result: ({ cols, rows }) => note(`the terminal has ${cols} columns and ${rows} rows\n`)
  },
  "workspace.shell.signal": {
    result: (_, { signal }) => note(`sent ${signal}\n`)
  },
  "workspace.shell.close": {
    result: ({ outcome, status }) =>
      note(outcome === "exited" ? `closed; its program exited with ${status ?? 0}\n` : "closed\n")
  }
} satisfies Views
