import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeAll, describe, it } from "vitest"
import { modeNames } from "../../src/contract/rows/modes.ts"
import { buildFake } from "../cli/build-fake.ts"
import { envelope, initialize, initialized } from "../support/mcp/mcp-messages.ts"
import { rawClient } from "./raw-client.ts"

const binary = buildFake()
const dist = path.dirname(binary.entry)
const project = path.join(binary.folder, "project")

/** The same program with other files beside it. */
const variant = (name: string, change: (folder: string, files: ReadonlyArray<string>) => void) => {
  const folder = path.join(binary.folder, name)
  fs.cpSync(dist, folder, { recursive: true })
  change(folder, fs.readdirSync(folder))
  return path.join(folder, "pyro.js")
}
const removing = (start: string) => (folder: string, files: ReadonlyArray<string>) =>
  files.filter((file) => file.startsWith(start)).forEach((file) => fs.rmSync(path.join(folder, file)))

const truncating = (start: string) => (folder: string, files: ReadonlyArray<string>) =>
  files.filter((file) => file.startsWith(start)).forEach((file) => fs.truncateSync(path.join(folder, file), 2_000))

const entries = { first: binary.entry, server: "", alone: "" }

beforeAll(() => {
  fs.mkdirSync(path.join(project, ".git"), { recursive: true })
  entries.server = variant("server-only", removing("mcp-handshake-"))
  entries.alone = variant("handshake-only", removing("main-"))
})

/** Answered by the server itself, last. */
const last = (params: object = {}) => ({ id: "last", method: "tools/call", params: { name: "none", ...params } })

interface Said {
  readonly stdout: ReadonlyArray<string>
  readonly stderr: string
  readonly code: number | null
}

/** Sends lines, waits until the last request is answered, and closes stdin. */
const report = (
  entry: string,
  args: ReadonlyArray<string>,
  sent: ReadonlyArray<object | string>,
  cwd = project
): Promise<Said> => {
  const child = spawn(process.execPath, [entry, "mcp", "serve", ...args], {
    cwd,
    env: { ...process.env, ...binary.env },
    stdio: ["pipe", "pipe", "pipe"]
  })
  let stdout = ""
  let stderr = ""
  child.stderr.setEncoding("utf8").on("data", (text: string) => stderr += text)
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text
    if (/"id":"last"[^\n]*\n/.test(stdout)) child.stdin.end()
  })
  child.stdin.on("error", () => undefined)
  child.stdin.write(
    sent.map((one) => typeof one === "string" ? one : JSON.stringify({ jsonrpc: "2.0", ...one })).map((one) =>
      `${one}\n`
    )
      .join("")
  )
  return new Promise((resolve) =>
    child.once("close", (code) => resolve({ stdout: stdout.trim().split("\n"), stderr, code }))
  )
}

/** What both report, in an order of its own: answers may overtake each other. */
const comparable = ({ code, stderr, stdout }: Said) => ({
  code,
  stderr,
  answers: stdout.map((line) => JSON.parse(line) as { readonly id: unknown }).sort((a, b) =>
    String(a.id).localeCompare(String(b.id))
  )
})

const saysTheSame = async (args: ReadonlyArray<string>, sent: ReadonlyArray<object | string>, cwd = project) => {
  const [first, server] = await Promise.all(
    [entries.first, entries.server].map((entry) => report(entry, args, sent, cwd))
  )
  assert.deepStrictEqual(comparable(first!), comparable(server!))
  return comparable(first!).answers
}

const SELECTIONS = [
  ["--profile", "vm-run"],
  ["--profile", "workspace-core"],
  ["--profile", "workspace-full"],
  ...modeNames.map((name) => ["--mode", name] as const)
] as const
const LISTS = ["tools/list", "resources/list", "resources/templates/list", "prompts/list"]

describe("the first answers of mcp serve", () => {
  it("the first answers come before the program is loaded, in both revisions", async () => {
    const legacy = rawClient([process.execPath, entries.alone, "mcp", "serve"], { cwd: project })
    const { result } = await legacy.initialize()
    assert.include(result!["instructions"] as string, `Bound project: ${fs.realpathSync(project)}.`)
    assert.lengthOf((await legacy.request("tools/list")).result!["tools"] as ReadonlyArray<unknown>, 16)
    await legacy.close()
    const modern = rawClient([process.execPath, entries.alone, "mcp", "serve"], { cwd: project })
    assert.include(JSON.stringify(await modern.request("server/discover", envelope())), "2026-07-28")
    assert.lengthOf(
      (await modern.request("tools/list", envelope())).result!["tools"] as ReadonlyArray<unknown>,
      16
    )
    await modern.close()
  })

  it("a list of resources does not delay the list of tools after it", async () => {
    const client = rawClient([process.execPath, entries.alone, "mcp", "serve"], { cwd: project })
    client.child.stdin.write(
      [{ id: 101, ...initialize("2025-11-25") }, initialized, { id: 102, method: "resources/list" }, {
        id: 103,
        method: "tools/list"
      }].map((one) => `${JSON.stringify({ jsonrpc: "2.0", ...one })}\n`).join("")
    )
    // Without its main program, the server ends at what the first answers have left.
    await client.ended
    assert.deepStrictEqual(client.messages.map(({ id }) => id), [101, 103])
  })

  it.each(SELECTIONS)("the first answers of %s %s equal the server's, in both revisions", async (option, name) => {
    const legacy = await saysTheSame([option, name], [
      { id: 1, ...initialize("2025-11-25") },
      initialized,
      ...LISTS.map((method) => ({ id: method, method })),
      { id: "token", method: "tools/list", params: { _meta: { progressToken: 7 } } },
      { id: 5, method: "ping" },
      last()
    ])
    assert.lengthOf(legacy, 8)
    const modern = await saysTheSame([option, name], [
      { id: 1, method: "server/discover", params: envelope() },
      ...LISTS.map((method) => ({ id: method, method, params: envelope() })),
      { id: 9, method: "ping", params: envelope() },
      last(envelope())
    ])
    assert.lengthOf(modern, 7)
  })

  it("the first answers in a directory that can be no project equal the server's", async () => {
    const roots = { capabilities: { roots: { listChanged: true } } }
    const answers = await saysTheSame([], [{ id: 1, ...initialize("2025-11-25", roots) }, initialized, last()], "/")
    assert.include(JSON.stringify(answers), "the client's first root becomes it")
  })

  it.each([
    ["of one that initializes twice, with one id", [
      { id: 1, ...initialize("2025-11-25") },
      { id: 1, ...initialize("1999-01-01") },
      { id: 1, method: "tools/list" }
    ]],
    ["of one that speaks no JSON", [
      { id: 1, ...initialize("2025-11-25") },
      "{\"jsonrpc\":\"2.0\",",
      "",
      "[]",
      "{\"jsonrpc\":\"1.0\",\"id\":2,\"method\":\"tools/list\"}",
      { id: 4, method: "__proto__" }
    ]],
    ["of one that speaks both revisions", [
      { id: 1, method: "server/discover", params: envelope() },
      { id: 2, method: "tools/list", params: envelope() },
      { id: 3, ...initialize("2025-06-18") }
    ]]
  ])("the first answers %s equal the server's", async (_, sent) => {
    await saysTheSame([], [...sent, last()])
  })

  it("the server answers each of a thousand requests that a client sends at once", async () => {
    const many = Array.from({ length: 1_000 }, (_, at) => ({ id: at + 2, method: "resources/list" }))
    const answers = await saysTheSame([], [{ id: 1, ...initialize("2025-11-25") }, initialized, ...many, last()])
    assert.lengthOf(answers, 1_002)
  })

  it.each(["mcp-handshake-", "mcp-answers-"])("the server answers itself if %s… is damaged", async (file) => {
    const damaged = variant(`damaged-${file}`, truncating(file))
    const client = rawClient([process.execPath, damaged, "mcp", "serve"], { cwd: project, env: binary.env })
    assert.include((await client.initialize()).result!["instructions"] as string, "Bound project")
    await client.close()
  })

  it("the server continues after the first answers for a client that writes byte by byte", async () => {
    const client = rawClient([process.execPath, entries.first, "mcp", "serve"], { cwd: project, env: binary.env })
    await client.initialize()
    const answer = new Promise<void>((resolve) => {
      client.child.stdout.on("data", () => client.messages.some(({ id }) => id === 77) && resolve())
    })
    const line =
      "{\"jsonrpc\":\"2.0\",\"id\":77,\"method\":\"tools/call\",\"params\":{\"name\":\"workspace_list\",\"arguments\":{}}}\n"
    for (const byte of line) {
      client.child.stdin.write(byte)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await answer
    await client.close()
  })

  it("a client that disconnects after the first answers gets no others", async () => {
    const { code, stderr, stdout } = await new Promise<Said>((resolve) => {
      const child = spawn(process.execPath, [entries.alone, "mcp", "serve"], { cwd: project })
      let stdout = ""
      let stderr = ""
      child.stdout.on("data", (text) => stdout += text)
      child.stderr.on("data", (text) => stderr += text)
      child.once("close", (code) => resolve({ code, stderr, stdout: stdout.trim().split("\n") }))
      child.stdin.end(`${JSON.stringify({ jsonrpc: "2.0", id: 1, ...initialize("2025-11-25") })}\n{"half":`)
    })
    assert.deepStrictEqual({ code, stderr, answers: stdout.length }, { code: 0, stderr: "", answers: 1 })
  })

  it("an invalid command line gets no first answers", async () => {
    const hello = { id: 1, ...initialize("2025-11-25") }
    for (
      const args of [
        ["--profile", "none"],
        ["--mode", "none"],
        ["--mode", "inspect", "--profile", "vm-run"],
        ["--project-path", "/"],
        ["--allow-read", "/nowhere/at/all"],
        ["--project-path"],
        ["--colour"],
        ["--repo-ref", "a", "--repo-ref", "b"],
        ["more"]
      ]
    ) {
      const { code, stderr, stdout } = await report(entries.first, args, [hello])
      assert.deepStrictEqual({ code, stdout }, { code: 2, stdout: [""] }, args.join(" "))
      assert.notStrictEqual(stderr, "")
    }
  })
})
