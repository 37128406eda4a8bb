import { spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { runProgram } from "../host-process.ts"
import { type Plan, side, timed } from "../measure.ts"
import { emptyNode } from "./version.ts"

const initialize = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "bench", version: "1" } }
}
const listTools = { jsonrpc: "2.0", id: 2, method: "tools/list" }

/** Requests of a host before it tells its model of the tools. */
const firstAnswers = async ([program = "", ...args]: ReadonlyArray<string>) => {
  const child = spawn(program, [...args, "mcp", "serve"], { stdio: ["pipe", "pipe", "inherit"] })
  const closed = once(child, "close")
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const ask = async (request: object) => {
    child.stdin.write(`${JSON.stringify(request)}\n`)
    const { value } = await lines.next() as { readonly value?: string }
    if (value?.includes("\"result\"") !== true) throw new Error(`the server did not answer: ${value}`)
  }
  const ms = await timed(async () => {
    await ask(initialize)
    await ask(listTools)
  })
  child.kill("SIGKILL")
  await closed
  return ms
}

export const mcpStart: Plan = {
  name: "mcp-start",
  unit: "ms",
  about: "`pyro mcp serve` as a process, until it has answered initialize and tools/list; floor: `node -e 0`",
  budget: { kind: "ratio", atMost: 1.5, plus: 30 },
  rounds: (runs) => 2 * runs,
  warmups: 2,
  floor: async () => side(async () => (await runProgram(emptyNode)).ms),
  ours: async ({ pyro }) => side(() => firstAnswers(pyro))
}
