import * as path from "node:path"
import type { Change } from "../format/document.ts"
import { type AgentHost, commandList, configHome, ENTRY, envOf, sharedSkills } from "./agent-host.ts"

const key = (tool: string) => ["permission", `${ENTRY}_${tool}`] as const

/** OpenCode, or a program with the same settings: servers and permissions in one file. The last rule that matches a tool decides. */
const openCodeLike = ({ name, program, title }: Pick<AgentHost, "name" | "program" | "title">): AgentHost => ({
  name,
  title,
  program,
  config: (scope, place) => {
    const { exists, project } = place
    const folder = scope === "project" ? project : path.join(configHome(place), program)
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

export const opencode: AgentHost = {
  ...openCodeLike({ name: "opencode", title: "OpenCode", program: "opencode" }),
  skills: sharedSkills()
}

/** Kilo has OpenCode's settings, in files with its own name. */
export const kilo = openCodeLike({ name: "kilo", title: "Kilo", program: "kilo" })
