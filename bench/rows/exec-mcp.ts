import { Client } from "@modelcontextprotocol/client"
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio"
import { type Plan, side, timed } from "../measure.ts"
import { inARow } from "./in-a-row.ts"

const command = "/bin/true"
/**
 * Rounds of ten before those that count. In a whole run, the daemon and this process have run thousands of commands, but the
 * server's process none: V8 would interpret on one side only.
 */
const warmups = 100

/** A script's command line in the guest. */
const inShell = [
  "/bin/sh",
  "-c",
  "if [ -x /bin/bash ]; then exec /bin/bash -c \"$1\"; else exec /bin/sh -c \"$1\"; fi",
  "sh",
  command
]

export const execMcp: Plan = {
  name: "exec-mcp",
  unit: "ms",
  about:
    "/bin/true as a shell command in a workspace, called as a tool by an MCP client, through the server's process and the daemon; " +
    "floor: the same command through the daemon",
  budget: { kind: "ratio", atMost: 1, plus: 3 },
  rounds: (runs) => 4 * runs,
  warmups,
  floor: async ({ daemon }) => {
    const workspace = await daemon.create()
    return side(() => inARow(() => timed(() => daemon.exec(workspace, ...inShell))), () => daemon.remove(workspace))
  },
  ours: async ({ daemon, pyro: [program = "", ...args] }) => {
    const workspace = await daemon.create()
    const client = new Client({ name: "bench", version: "1" }, { versionNegotiation: { mode: "auto" } })
    const env = process.env as Record<string, string>
    await client.connect(
      new StdioClientTransport({ command: program, args: [...args, "mcp", "serve", "--all-workspaces"], env })
    )
    const call = async () => {
      const { isError } = await client.callTool({
        name: "workspace_exec",
        arguments: { workspace_id: workspace, command }
      })
      if (isError === true) throw new Error("the command did not run")
    }
    return side(() => inARow(() => timed(call)), async () => {
      await client.close()
      await daemon.remove(workspace)
    })
  }
}
