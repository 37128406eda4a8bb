import { Effect } from "effect"
import { note, OutputOptions, print } from "../output/print.ts"
import { openInBrowser } from "../terminal/browser.ts"
import { Terminal } from "../terminal/Terminal.ts"
import type { View, Views } from "./view.ts"

/** The command for a person's own machine, if this process runs in an ssh session. SSH_CONNECTION: client, its port, server, its port. */
const tunnelOf = (port: number, variable: (name: string) => string | undefined) => {
  const [, , server, serverPort] = (variable("SSH_CONNECTION") ?? "").split(" ")
  if (server === undefined) return undefined
  const own = serverPort === undefined || serverPort === "22" ? "" : `-p ${serverPort} `
  return `ssh ${own}-L ${port}:127.0.0.1:${port} ${variable("USER") ?? "USER"}@${server}`
}

const uiView: View<"ui"> = {
  result: ({ closed, port, url }) =>
    Effect.gen(function*() {
      if (closed !== undefined) {
        return yield* note(closed ? "the page is closed, and no browser has a session\n" : "no page was open\n")
      }
      const { variable } = yield* Terminal
      const { switches } = yield* OutputOptions
      yield* print(`${url}\n`)
      const tunnel = tunnelOf(port ?? 0, variable)
      if (tunnel !== undefined) {
        yield* note(`next: on your own machine, before you open the address: ${tunnel}\n`)
      }
      const hasDisplay = [variable("DISPLAY"), variable("WAYLAND_DISPLAY")].some((one) => (one ?? "") !== "")
      if (!switches.has("no-open") && hasDisplay && tunnel === undefined && !(yield* openInBrowser(url ?? ""))) {
        yield* note("no browser could be opened: open the address yourself\n")
      }
      yield* note("the address works once, within a minute\n")
    })
}

export const uiViews = { "ui": uiView } satisfies Views
