import { type JSONRPCMessage, parseJSONRPCMessage, type Transport } from "@modelcontextprotocol/server"
import { serveStdio } from "@modelcontextprotocol/server/stdio"
import { Effect, Result } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { parse } from "../../../src/cli/arguments/parser.ts"
import { recordedFlags } from "../../../src/cli/recorded.ts"
import { mcpServe } from "../../../src/cli/rows/rows.ts"
import { serveOptions } from "../../../src/cli/serve-options.ts"
import { ChannelFailed } from "../../../src/contract/errors/errors.ts"
import { understood } from "../../../src/mcp/handshake/command-line.ts"
import { makeConversation } from "../../../src/mcp/handshake/conversation.ts"
import type { Recorded } from "../../../src/mcp/handshake/recorded.ts"
import { recordHandshake } from "../../../src/mcp/record-handshake.ts"
import { createServer } from "../../../src/mcp/server.ts"
import { emptyProject } from "../../mcp/fakes.ts"
import { envelope, initialize, initialized } from "../../support/mcp/mcp-messages.ts"

const VERSION = "1.2.3"
const flags = recordedFlags()
let recorded: Recorded
beforeAll(async () => {
  recorded = { flags, ...await recordHandshake(VERSION) }
})

type Sent = ReadonlyArray<object | string>
const linesOf = (sent: Sent) =>
  sent.map((one) => typeof one === "string" ? one : JSON.stringify({ jsonrpc: "2.0", ...one }))

const asked = (project: { readonly path: string | undefined; readonly repoUrl?: string; readonly repoRef?: string }) =>
  ({ selection: "workspace-core", options: { repoUrl: project.repoUrl, repoRef: project.repoRef } }) as const

/** All that the server itself answers. */
const serverSays = async (lines: ReadonlyArray<string>, project: { readonly path: string | undefined }) => {
  const answers: Array<JSONRPCMessage> = []
  const transport: Transport = {
    start: () => Promise.resolve(),
    close: () => Promise.resolve(),
    send: (message) => Promise.resolve(void answers.push(message))
  }
  const pyro = new ChannelFailed({ detail: "" })
  const server = {
    profile: "workspace-core",
    version: VERSION,
    pyro,
    project: { ...emptyProject, ...project }
  } as const
  const handle = serveStdio(() => createServer(server), { transport })
  for (const line of lines) {
    let message: JSONRPCMessage
    try {
      message = parseJSONRPCMessage(JSON.parse(line))
    } catch {
      continue
    }
    transport.onmessage?.(message)
    // The server answers what it can at once in a few turns of the loop.
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
  await handle.close()
  return answers
}

/** Every answer given in the server's place is the server's own; gives how many there are. */
const agrees = async (sent: Sent, project: { readonly path: string | undefined } = { path: "/home/ada/project" }) => {
  const lines = linesOf(sent)
  const server = await serverSays(lines, project)
  const reply = makeConversation(recorded, recorded.selections["workspace-core"], asked(project), {
    base: project.path,
    session: undefined,
    awaitsRoot: false
  })
  let answers = 0
  for (const line of lines) {
    const told = reply(line)
    if (told._tag === "Left") break
    if (told._tag !== "Answer") continue
    answers++
    assert.notMatch(told.line, /ghp_token|word@/)
    const at = server.findIndex((one) => "id" in one && one.id === told.id)
    assert.isAtLeast(at, 0, `the server does not answer ${line}`)
    assert.deepStrictEqual(JSON.parse(told.line), JSON.parse(JSON.stringify(server.splice(at, 1)[0])))
  }
  return answers
}

describe("answers in the server's place", () => {
  it.each([
    "2024-10-07",
    "2024-11-05",
    "2025-03-26",
    "2025-06-18",
    "2025-11-25",
    "2026-07-28",
    "1999-01-01",
    "",
    "__proto__"
  ])(
    "the recorded answers equal the server's for a client of revision \"%s\"",
    async (version) => {
      const sent = [{ id: 1, ...initialize(version) }, initialized, { id: "two", method: "tools/list" }]
      assert.strictEqual(await agrees(sent), 2)
    }
  )

  it("the recorded answers equal the server's for a client of the revision without initialize", async () => {
    const methods = ["server/discover", "tools/list", "resources/list", "resources/templates/list"]
    const sent = methods.map((method, id) => ({ id, method, params: envelope() }))
    // The list of resources is left to the server.
    assert.strictEqual(await agrees(sent), 3)
    assert.strictEqual(await agrees(sent.slice(1)), 2)
  })

  it("the recorded instructions name the project as the server does", async () => {
    for (
      const project of [
        { path: undefined },
        { path: "/with \"quotes\" \u2026 and\nlines" },
        { path: undefined, repoUrl: "https://example.org/x", repoRef: "main" },
        { path: undefined, repoUrl: "https://ghp_token:word@example.org/x?token=t" }
      ]
    ) assert.strictEqual(await agrees([{ id: 1, ...initialize("2025-11-25") }], project), 1)
  })

  it.each<readonly [string, Sent, number]>([
    ["says what it can do", [{
      id: 1,
      ...initialize("2025-11-25", {
        capabilities: {
          roots: { listChanged: true },
          sampling: {},
          elicitation: { form: { applyDefaults: true }, url: {} },
          experimental: { "x/y": { z: [1] } },
          extensions: { "io.x/ui": { mimeTypes: ["text/html"] } }
        },
        clientInfo: { name: "claude-code", title: "Claude", version: "2", websiteUrl: "https://x", description: "d" },
        _meta: { progressToken: "p", traceparent: "00-0-0-00" }
      })
    }], 1],
    ["has odd capabilities", [
      { id: 1, ...initialize("2025-11-25", { capabilities: { roots: true } }) },
      { id: 2, ...initialize("2025-11-25", { capabilities: { tasks: { list: 7 } } }) }
    ], 0],
    ["has no name", [{ id: 1, ...initialize("2025-11-25", { clientInfo: { version: "1" } }) }], 0],
    ["asks for no revision", [{ id: 1, ...initialize(7) }], 0],
    ["initializes twice", [{ id: 1, ...initialize("2025-11-25") }, { id: 2, ...initialize("2025-03-26") }], 1],
    ["uses an id twice", [{ id: 1, ...initialize("2025-11-25") }, { id: 1, method: "tools/list" }], 2],
    ["does not initialize", [{ id: 1, method: "tools/list" }], 0],
    ["begins with a notification", [initialized, { id: 1, ...initialize("2025-11-25") }], 0],
    ["asks for a page", [
      { id: 1, ...initialize("2025-11-25") },
      { id: 2, method: "tools/list", params: { _meta: { progressToken: 3 } } },
      { id: 3, method: "tools/list", params: { cursor: "x" } }
    ], 2],
    ["speaks no JSON", [{ id: 1, ...initialize("2025-11-25") }, "{\"jsonrpc\":\"2.0\",", { id: 2, method: "ping" }], 1],
    ["sends an id that is none", [
      { id: 1, ...initialize("2025-11-25") },
      "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"tools/list\"}"
    ], 1],
    ["sends half an id", [{ id: 1, ...initialize("2025-11-25") }, { id: 2.5, method: "tools/list" }], 1],
    ["sends more than a request has", [
      { id: 1, ...initialize("2025-11-25") },
      { id: 2, method: "tools/list", extra: 1 }
    ], 1],
    ["names no method", [{ id: 1, ...initialize("2025-11-25") }, { id: 2, method: "__proto__" }], 1],
    ["turns to the older revision", [
      { id: 1, method: "server/discover", params: envelope() },
      { id: 2, ...initialize("2025-06-18") },
      initialized,
      { id: 3, method: "tools/list" }
    ], 3],
    ["turns to it too late", [
      { id: 1, method: "server/discover", params: envelope() },
      { id: 2, method: "tools/list", params: envelope() },
      { id: 3, ...initialize("2025-06-18") }
    ], 2],
    ["speaks an unknown revision", [{ id: 1, method: "server/discover", params: envelope("2027-01-01") }], 0],
    ["speaks a revision that is no text", [{ id: 1, method: "server/discover", params: envelope(5) }], 0],
    ["asks what is spoken without saying what it speaks", [{ id: 3, method: "server/discover" }], 0],
    ["has an odd name in the envelope", [
      { id: 1, method: "server/discover", params: envelope("2026-07-28", { "io.modelcontextprotocol/clientInfo": 7 }) }
    ], 0],
    ["has an odd level in the envelope", [
      { id: 2, method: "tools/list", params: envelope("2026-07-28", { "io.modelcontextprotocol/logLevel": "loud" }) }
    ], 0],
    ["has an odd token in the envelope", [
      { id: 3, method: "tools/list", params: envelope("2026-07-28", { progressToken: {} }) }
    ], 0]
  ])("the recorded answers equal the server's for a client that %s", async (_, sent, answers) => {
    assert.strictEqual(await agrees(sent), answers)
  })
})

describe("the command line of mcp serve", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-handshake-"))
  afterAll(() => fs.rmSync(folder, { recursive: true }))

  const parsed = (words: ReadonlyArray<string>) =>
    Effect.runSync(Effect.result(
      Effect.flatMap(parse(mcpServe, words, undefined), ({ raw }) => serveOptions(raw))
    ))

  /** Values that are tried for every option. */
  const VALUES = [
    "x",
    "workspace-full",
    "cold-start",
    "https://example.org/a.git",
    folder,
    ".",
    "..",
    "a/../b",
    "",
    "-",
    "-x",
    "a b",
    "*.py",
    "node_modules",
    "agent",
    "~/x",
    "\0"
  ]

  it("the early command line check accepts only what the parser accepts, with the same meaning", () => {
    const lines = [
      [],
      ["x"],
      ["--"],
      ["--nope"],
      ["--json"],
      ["--profile", "vm-run", "--profile", "vm-run"],
      ["--mode", "inspect", "--profile", "vm-run"],
      ["--mode=inspect", "--profile=vm-run"],
      ["--mode", "inspect", "--mode", "inspect"],
      ["--mode=repro-fix", "--environment", "debian:13"],
      ["--profile=vm-run", "--repo-url=https://example.org/?a=b", "--allow-read", "/tmp", "--allow-read=/"],
      ...flags.flatMap(({ name }) => [
        [name],
        ...VALUES.flatMap((value) => [[name, value], [`${name}=${value}`], [name, value, name, value]])
      ])
    ]
    let accepted = 0
    for (const words of lines) {
      const fast = understood(words, flags)
      if (fast === undefined) continue
      accepted++
      const whole = parsed(words)
      if (Result.isFailure(whole)) return assert.fail(`${words.join(" ")}: ${whole.failure.message}`)
      const {
        allowExport,
        allowRead,
        environment,
        mode,
        networkCeiling,
        profile,
        projectPath,
        repoRef,
        repoUrl,
        workspaceUser
      } = whole.success
      assert.deepStrictEqual(fast, {
        selection: mode ?? profile,
        options: { environment, projectPath, repoUrl, repoRef, allowRead, allowExport, workspaceUser, networkCeiling }
      })
    }
    assert.isAbove(accepted, flags.length)
  })

  it("the documented forms of mcp serve need no parser", () => {
    const shown = fs.readFileSync(path.join(import.meta.dirname, "../../../docs/integrations.md"), "utf8")
    const lines = mcpServe.cli.examples.filter((line) => line.startsWith("pyro mcp serve"))
    for (const line of lines) assert.isDefined(understood(line.replaceAll("'", "").split(" ").slice(3), flags), line)
    for (const [, flag = ""] of shown.matchAll(/^pyro mcp serve.*?(--[a-z-]+)/gm)) {
      assert.include(flags.map(({ name }) => name), flag)
    }
  })
})
