import { between, boolean, flag, integer, optional, string } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { lazy, unary } from "./operation.ts"

export const UiPayload = lazy(() =>
  snakeStruct({
    workspace: optional(string("Workspace to show first: its name, its id or the first digits of the id")),
    port: optional(
      between({
        from: 1,
        to: 65_535,
        description: "Port of 127.0.0.1 to listen on. Default: the port of the open page, or else a free port"
      })
    ),
    close: flag("End the sessions of all browsers, and stop to listen")
  })
)
export type UiPayload = ReturnType<typeof UiPayload>["Type"]

export const UiResult = lazy(() =>
  snakeStruct({
    url: optional(
      string("Address that opens the page once, in one browser, within a minute. Absent with `close`")
    ),
    port: optional(integer("Port of 127.0.0.1 that the daemon listens on. Absent with `close`")),
    closed: optional(boolean("With `close`: whether the daemon listened. Absent otherwise"))
  })
)
export type UiResult = ReturnType<typeof UiResult>["Type"]

export const ui = unary({
  name: "ui",
  summary: "Open a page in the browser to look at workspaces, review and steer",
  description:
    "The daemon serves the page on 127.0.0.1, for this browser alone. The address has a token that works once, within a minute. The session " +
    "of the browser survives a restart of the daemon, and ends after a day without a use, or with --close. On a host without a display, and " +
    "over ssh, only the address is printed. See docs/ui.md.",
  cli: {
    path: ["ui"],
    args: [],
    argsOrFlags: ["workspace"],
    extras: {
      "no-open": { _tag: "switch", description: "Print the address, and open no browser" }
    },
    examples: ["pyro ui", "pyro ui fix", "pyro ui --no-open", "pyro ui --close"]
  },
  mcp: { missing: "the page is for people" },
  home: "daemon",
  errors: ["IdAmbiguous", "PageUnavailable", "WorkspaceNotFound"],
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
  payload: UiPayload,
  result: UiResult
})
