import { Effect } from "effect"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import { shellStateText, shellWaitText } from "../../contract/rows/resident-text.ts"
import { type ShellInfo, ShellScreen } from "../../contract/rows/shell-fields.ts"
import type { ShellReadPayload } from "../../contract/rows/workspace-shell-io.ts"
import { typed } from "../../contract/text/shell-words.ts"
import { MAX_TEXT_CHARACTERS } from "../bounded.ts"
import type { Tool } from "../request.ts"
import { callText, count, lines } from "../words.ts"

/** Pause of the output after which a shell is read, in ms. */
const IDLE_MS = 300
/** Maximum wait for a text, and for a pause, in seconds. */
const WAIT_SECONDS = 30
const PAUSE_SECONDS = 5

const line = (one: ShellInfo): string =>
  `${one.shellId} ${shellStateText(one)}, ${one.cols}x${one.rows}: ${
    one.command.length === 0 ? "bash -l" : typed(one.command).slice(0, 300)
  }`

/** A screen: its state first, then what a person sees. */
const screenText = (screen: ShellScreen, asked: ShellReadPayload): string => {
  const missing = shellWaitText(screen, asked)
  return lines(
    `the program ${shellStateText(screen)}` +
      (missing === undefined ? "" : `; ${missing}`) +
      (screen.outcome === "running"
        ? `; continue with ${
          callText("shell_read", { workspace_id: asked.workspace, shell_id: screen.shellId, cursor: screen.nextCursor })
        }`
        : ""),
    screen.alternate === true && "[a full-screen program: the whole screen]",
    screen.truncated && "[earlier lines are left out]",
    screen.output
  )
}

export const shellOpenTool: Tool<"workspace.shell.open"> = { text: (one) => `shell ${line(one)}` }

export const shellListTool: Tool<"workspace.shell.list"> = {
  text: ({ shells }) => lines(shells.length === 0 ? "no shells" : count(shells.length, "shell"), ...shells.map(line))
}

export const shellCloseTool: Tool<"workspace.shell.close"> = {
  text: ({ outcome, shellId, status }) =>
    `shell ${shellId} ${shellStateText({ outcome, ...(status === undefined ? {} : { status }) })}`
}

const shown = (pyro: PyroService, asked: ShellReadPayload) =>
  Effect.map(pyro.workspace.shell.read(asked), (result) => ({ result, text: screenText(result, asked) }))

export const shellReadTool: Tool<"workspace.shell.read"> = {
  perform: ({ payload, pyro }) => shown(pyro, { ...payload, plain: true })
}

/** Types, and shows what the shell makes of it: one call in place of two. */
export const shellWriteTool: Tool<"workspace.shell.write", ShellScreen> = {
  result: ShellScreen,
  perform: ({ own, payload, pyro }) =>
    Effect.gen(function*() {
      const { cursor, shellId } = yield* pyro.workspace.shell.write(payload)
      const wanted = own["wait_for"]
      return yield* shown(pyro, {
        workspace: payload.workspace,
        shellId,
        cursor,
        plain: true,
        encoding: "text",
        maxBytes: MAX_TEXT_CHARACTERS,
        ...(typeof wanted === "string" ? { waitFor: wanted } : { waitForIdleMs: IDLE_MS }),
        waitSeconds: typeof wanted === "string" ? WAIT_SECONDS : PAUSE_SECONDS
      })
    })
}
