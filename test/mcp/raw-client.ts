import { spawn } from "node:child_process"
import { assert } from "vitest"

export interface Message {
  readonly jsonrpc: "2.0"
  readonly id?: number
  readonly method?: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown }
}

/** Starts an MCP server and speaks to it line by line, with nothing between. */
export const rawClient = (
  command: ReadonlyArray<string>,
  options: {
    readonly env?: Readonly<Record<string, string>>
    readonly cwd?: string
    /** Answers a request of the server. Undefined: never. */
    readonly onRequest?: (message: Message) => object | undefined
  } = {}
) => {
  const [program = "", ...args] = command
  const child = spawn(program, args, {
    env: { ...process.env, ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd })
  })
  const messages: Array<Message> = []
  const waiting = new Map<number, (message: Message) => void>()
  let rest = ""
  let stderr = ""
  let nextId = 1
  child.stdin.on("error", () => undefined)
  child.stderr.setEncoding("utf8").on("data", (text: string) => stderr += text)
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n")
    rest = lines.pop() ?? ""
    for (const line of lines) {
      const message = JSON.parse(line) as Message
      assert.strictEqual(message.jsonrpc, "2.0", line)
      messages.push(message)
      if (message.id !== undefined && message.method === undefined) waiting.get(message.id)?.(message)
      const answer = message.method === undefined ? undefined : options.onRequest?.(message)
      if (answer !== undefined) write({ id: message.id, ...answer })
    }
  })
  const ended = new Promise<{ readonly code: number | null; readonly rest: string }>((resolve) =>
    child.once("close", (code) => resolve({ code, rest }))
  )
  const write = (message: object) => child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`)
  /** Sends a request; gives its id and its answer. */
  const send = (method: string, params: object) => {
    const id = nextId++
    const answer = new Promise<Message>((resolve, reject) => {
      waiting.set(id, resolve)
      void ended.then(() => reject(new Error(`the server ended before it answered: ${stderr}`)))
    })
    // A test that ends the server does not wait for what it asked.
    answer.catch(() => undefined)
    write({ id, method, params })
    return { id, answer }
  }
  const request = (method: string, params: object = {}) => send(method, params).answer
  const notify = (method: string, params: object = {}) => write({ method, params })
  /** The handshake of the revisions before 2026. */
  const initialize = async (protocolVersion = "2025-11-25", capabilities: object = {}) => {
    const answer = await request("initialize", {
      protocolVersion,
      capabilities,
      clientInfo: { name: "raw", version: "1" }
    })
    notify("notifications/initialized")
    return answer
  }
  /** Calls a tool, which has to answer. */
  const call = async (name: string, args: object, more: object = {}) => {
    const { error, result } = await request("tools/call", { name, arguments: args, ...more })
    assert.isUndefined(error, JSON.stringify(error))
    return result as unknown as {
      readonly isError?: boolean
      readonly content: ReadonlyArray<{ readonly text: string }>
      readonly structuredContent?: Readonly<Record<string, unknown>>
    }
  }
  /** Creates a workspace; gives its id. */
  const create = async (args: object = {}) => {
    const { content, structuredContent } = await call("workspace_create", args)
    assert.isDefined(structuredContent, content[0]?.text)
    return (structuredContent["workspace"] as { readonly id: string }).id
  }
  const close = () => {
    child.stdin.end()
    return ended
  }
  return {
    child,
    messages,
    ended,
    stderr: () => stderr,
    send,
    request,
    notify,
    initialize,
    call,
    create,
    close
  } as const
}
