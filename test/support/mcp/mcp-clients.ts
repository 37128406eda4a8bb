import { Client as ModernClient } from "@modelcontextprotocol/client"
import { StdioClientTransport as ModernTransport } from "@modelcontextprotocol/client/stdio"
import { Client } from "@modelcontextprotocol/sdk/client"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js"
import { assert } from "vitest"
import { pyroPath } from "../pyro-cli.ts"

/** A result as a host sees it. */
export interface ToolResult {
  readonly isError?: boolean
  readonly content: ReadonlyArray<{ readonly type: string; readonly text?: string }>
  readonly structuredContent?: Readonly<Record<string, unknown>>
}

export interface CallOptions {
  readonly signal?: AbortSignal
  readonly timeout?: number
  readonly onprogress?: (progress: { readonly progress: number; readonly message?: string | undefined }) => void
}

/** A stock client that has checked the list of tools, and checks each result against its tool's schema. */
export interface StockClient {
  readonly tools: ReadonlyArray<{
    readonly name: string
    readonly inputSchema: {
      readonly properties?: object | undefined
      readonly required?: ReadonlyArray<string> | undefined
    }
  }>
  readonly instructions: string | undefined
  readonly call: (name: string, args: object, options?: CallOptions) => Promise<ToolResult>
  /** Reads a resource. */
  readonly read: (uri: string) => Promise<unknown>
  readonly close: () => Promise<void>
}

interface Served {
  readonly args?: ReadonlyArray<string>
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

const parametersOf = ({ args = [], cwd, env }: Served) => ({
  command: process.execPath,
  args: [pyroPath, "mcp", "serve", ...args],
  cwd,
  env: { ...process.env as Record<string, string>, ...env },
  stderr: "inherit" as const
})

const info = { name: "stock", version: "1" }

/** Clients as hosts have them built in, by the revision of the protocol that they speak. */
export const stockClients: Readonly<Record<string, (served: Served) => Promise<StockClient>>> = {
  "2025-11-25": async (served) => {
    const client = new Client(info)
    await client.connect(new StdioClientTransport(parametersOf(served)))
    const { tools } = await client.listTools()
    return {
      tools,
      instructions: client.getInstructions(),
      call: async (name, args, options) =>
        await client.callTool({ name, arguments: { ...args } }, undefined, options) as unknown as ToolResult,
      read: (uri) => client.readResource({ uri }),
      close: () => client.close()
    }
  },
  "2026-07-28": async (served) => {
    const client = new ModernClient(info, { versionNegotiation: { mode: "auto" } })
    await client.connect(new ModernTransport(parametersOf(served)))
    assert.strictEqual(client.getNegotiatedProtocolVersion(), "2026-07-28")
    const { tools } = await client.listTools()
    return {
      tools,
      instructions: client.getInstructions(),
      call: async (name, args, options) =>
        await client.callTool({ name, arguments: { ...args } }, options) as unknown as ToolResult,
      read: (uri) => client.readResource({ uri }),
      close: () => client.close()
    }
  }
}

export const resultText = ({ content }: ToolResult): string => content[0]?.text ?? ""

/** What a call that has to succeed tells programs. */
export const succeeded = <A = Readonly<Record<string, unknown>>>(result: ToolResult): A => {
  assert.notStrictEqual(result.isError, true, resultText(result))
  assert.isDefined(result.structuredContent)
  return result.structuredContent as A
}

/** What a call that has to fail tells a model. */
export const failed = (result: ToolResult): string => {
  assert.isTrue(result.isError, resultText(result))
  assert.isUndefined(result.structuredContent)
  return resultText(result)
}
