import { Effect } from "effect"
import { waitingText } from "../../contract/rows/resident-text.ts"
import type { ServiceInfo } from "../../contract/rows/service-fields.ts"
import type { Tool } from "../request.ts"
import { textAsSeen } from "../terminal.ts"
import { count, lines, seconds } from "../words.ts"

/** A service in one line. */
const line = ({ detail, name, ports, readyMs, restartInMs, restarts, state, status, uptimeMs }: ServiceInfo): string =>
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

export const serviceTool: Tool<"workspace.service.status"> = { text: line }
export const serviceStartTool: Tool<"workspace.service.start"> = {
  perform: ({ payload, pyro, report }) => {
    const waiting = waitingText(payload)
    if (waiting !== undefined) report(waiting)
    return Effect.map(pyro.workspace.service.start(payload), (result) => ({ result, text: line(result) }))
  }
}
export const serviceStopTool: Tool<"workspace.service.stop"> = { text: line }

export const serviceListTool: Tool<"workspace.service.list"> = {
  text: ({ services }) => services.length === 0 ? "no services" : lines(...services.map(line))
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
          skippedBytes > 0 && `[${skippedBytes} bytes before this are no longer kept]`,
          output,
          `[${hasMore ? "there is more; " : ""}go on with cursor ${nextCursor}]`
        )
      }
    })
}
