import * as path from "node:path"
import { commandLine, envOf } from "../connect/entries.ts"
import { type AgentHost, ENTRY } from "./agent-host.ts"

/** Goose: servers in config.yaml. Its mode (`GOOSE_MODE`) decides about questions. */
export const goose: AgentHost = {
  name: "goose",
  title: "Goose",
  program: "goose",
  config: (scope, { home, variable }) =>
    scope === "project" ? undefined : {
      path: path.join(variable("XDG_CONFIG_HOME") ?? path.join(home, ".config"), "goose", "config.yaml"),
      format: "yaml"
    },
  servers: ["extensions"],
  entry: (server) => ({
    name: ENTRY,
    description: "Disposable microVM workspaces",
    type: "stdio",
    enabled: true,
    cmd: server.command,
    args: server.args,
    timeout: 600,
    ...envOf(server, "envs")
  }),
  commandOf: (entry) => commandLine(entry, "cmd"),
  approvals: ({ approve }) => ({
    files: [],
    notes: approve === "none" ? [] : ["Goose's mode and its tool permissions decide about questions: goose configure"]
  })
}
