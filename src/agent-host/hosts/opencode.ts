import * as path from "node:path"
import { commandList, envOf } from "../connect/entries.ts"
import type { Change } from "../format/json.ts"
import { type AgentHost, ENTRY } from "./agent-host.ts"

const key = (tool: string) => ["permission", `${ENTRY}_${tool}`] as const

/** OpenCode or a relative: servers and permissions in one file. The last rule that matches a tool decides. */
const openCodeLike = ({ name, program, title }: Pick<AgentHost, "name" | "program" | "title">): AgentHost => ({
  name,
  title,
  program,
  config: (scope, { exists, home, project, variable }) => {
    const folder = scope === "project"
      ? project
      : path.join(variable("XDG_CONFIG_HOME") ?? path.join(home, ".config"), program)
    const files = [`${program}.jsonc`, `${program}.json`].map((file) => path.join(folder, file))
    const fallback = files[scope === "project" ? 1 : 0]!
    return { path: files.find(exists) ?? fallback, format: "json" }
  },
  servers: ["mcp"],
  entry: (server) => ({
    type: "local",
    command: [server.command, ...server.args],
    enabled: true,
    timeout: 30_000,
    ...envOf(server, "environment")
  }),
  commandOf: commandList,
  approvals: ({ approve, config, tools: { asked } }) => ({
    files: [{
      ...config,
      changes: [
        approve === "none"
          ? { _tag: "remove", path: key("*") }
          : { _tag: "set", path: key("*"), value: "allow" },
        ...asked.map((name): Change =>
          approve === "safe" ? { _tag: "set", path: key(name), value: "ask" } : { _tag: "remove", path: key(name) }
        )
      ]
    }],
    notes: approve === "safe" && asked.length > 0
      ? [`${program} run cannot ask, so it refuses ${asked.join(" and ")}. To allow them: --approve all`]
      : []
  })
})

export const opencode = openCodeLike({ name: "opencode", title: "OpenCode", program: "opencode" })

/** A relative of OpenCode with the same settings in files of its own name. */
export const kilo = openCodeLike({ name: "kilo", title: "Kilo", program: "kilo" })
