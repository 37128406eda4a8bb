import { Effect } from "effect"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import { shellStateText, shellWaitText, waitingText } from "../../contract/rows/resident-text.ts"
import type { ServiceInfo } from "../../contract/rows/service-fields.ts"
import { type ShellInfo, ShellScreen } from "../../contract/rows/shell-fields.ts"
import type { ShellReadPayload } from "../../contract/rows/workspace-shell-io.ts"
import { count } from "../../contract/text/count.ts"
import { typed } from "../../contract/text/printable.ts"
import { MAX_TEXT_CHARACTERS } from "../bounded.ts"
import type { Tool } from "../request.ts"
import { textAsSeen } from "../terminal.ts"
import { callText, lines, seconds } from "../words.ts"

/** Pause of the output after which a shell is read, in ms. */
const IDLE_MS = 300
/** Maximum wait for a text, and for a pause, in seconds. */
const WAIT_SECONDS = 30
const PAUSE_SECONDS = 5

const shellLine = (one: ShellInfo): string =>
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

export const shellOpenTool: Tool<"workspace.shell.open"> = { text: (one) => `shell ${shellLine(one)}` }

export const shellListTool: Tool<"workspace.shell.list"> = {
  text: ({ shells }) =>
    lines(shells.length === 0 ? "no shells" : count(shells.length, "shell"), ...shells.map(shellLine))
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

/** Types, and shows the screen afterwards: one call in place of two. */
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

/** A service in one line. */
const serviceLine = (
  { detail, name, ports, readyMs, restartInMs, restarts, state, status, uptimeMs }: ServiceInfo
): string =>
  [
    `${name}: ${state}`,
    ...(readyMs === undefined || state !== "ready" ? [] : [`ready after ${seconds(readyMs)}`]),
    ...(status !== undefined
      ? [`exit status ${status}`]
      : restartInMs === undefined
      ? [`up ${seconds(uptimeMs)}`]
      : []),
    ...ports.map(({ guestPort, hostPort }) => `port ${guestPort} at 127.0.0.1:${hostPort} of the user's host`),
    ...(restarts === 0 ? [] : [count(restarts, "restart")]),
    ...(detail === undefined ? [] : [detail])
  ].join(", ")

export const serviceTool: Tool<"workspace.service.status"> = { text: serviceLine }
export const serviceStartTool: Tool<"workspace.service.start"> = {
  perform: ({ payload, pyro, report }) => {
    const waiting = waitingText(payload)
    if (waiting !== undefined) report(waiting)
    return Effect.map(pyro.workspace.service.start(payload), (result) => ({ result, text: serviceLine(result) }))
  }
}
export const serviceStopTool: Tool<"workspace.service.stop"> = { text: serviceLine }

export const serviceListTool: Tool<"workspace.service.list"> = {
  text: ({ services }) => services.length === 0 ? "no services" : lines(...services.map(serviceLine))
}

export const serviceLogsTool: Tool<"workspace.service.logs"> = {
  perform: ({ payload, pyro }) =>
    Effect.map(pyro.workspace.service.logs(payload), (page) => {
      const result = { ...page, output: textAsSeen(page.output) }
      const { hasMore, nextCursor, output, skippedBytes = 0, state } = result
      return {
        result,
        text: lines(
          `state ${state}`,
          skippedBytes > 0 && `[${count(skippedBytes, "byte")} before this no longer kept]`,
          output,
          `[${hasMore ? "there is more; " : ""}go on with cursor ${nextCursor}]`
        )
      }
    })
}
