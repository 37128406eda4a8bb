import * as fs from "node:fs"
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { buildFake } from "../cli/build-fake.ts"
import { envelope } from "../support/mcp/mcp-messages.ts"
import { type Message, rawClient } from "./raw-client.ts"

const binary = buildFake()
const opened: Array<ReturnType<typeof rawClient>> = []
const place = (name: string) => path.join(binary.folder, name)
const uri = (name: string) => pathToFileURL(place(name)).href
const ofFiles = (...uris: ReadonlyArray<unknown>) => ({ result: { roots: uris.map((uri) => ({ uri })) } })

interface Started {
  readonly cwd?: string
  readonly args?: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
}

/** A client of a server that was started in a home directory; it answers the question for its roots. */
const withRoots = (
  answer: (message: Message) => object | undefined,
  { args = [], cwd = "home", env }: Started = {}
) => {
  const client = rawClient([process.execPath, binary.entry, "mcp", "serve", ...args], {
    env: { ...binary.env, HOME: place("home"), CLAUDE_PROJECT_DIR: "", ...env },
    cwd: place(cwd),
    onRequest: answer
  })
  opened.push(client)
  const asked = () => client.messages.filter(({ method }) => method === "roots/list").length
  const initialize = (capabilities: object = { roots: {} }) => client.initialize("2025-11-25", capabilities)
  /** Project of a new workspace; empty without one. */
  const project = async () => {
    const { structuredContent } = await client.call("workspace_create", {})
    return (structuredContent!["workspace"] as { readonly seed_path: string | null }).seed_path ?? ""
  }
  return { ...client, initialize, asked, project }
}

/** Project of a new workspace, after a client answered so. */
const projectOf = async (answer: object, started?: Started) => {
  const client = withRoots(() => answer, started)
  await client.initialize()
  return client.project()
}

beforeAll(() => {
  for (const name of ["home/code", "other", "a b#c", "tree/.git"]) fs.mkdirSync(place(name), { recursive: true })
  fs.writeFileSync(place("file"), "")
  fs.symlinkSync(place("home"), place("link-to-home"))
  fs.symlinkSync(place("other"), place("link-to-other"))
})
afterAll(() => {
  for (const { child } of opened) child.kill("SIGKILL")
})

describe("a server in a directory that can be no project", () => {
  it("the first root of the client becomes the project, which one question decides for the session", async () => {
    const roots = [uri("home/code"), uri("other")]
    const client = withRoots(() => ofFiles(...roots))
    const { result } = await client.initialize({ roots: { listChanged: true } })
    assert.include(result!["instructions"] as string, "the client's first root becomes it")
    assert.deepStrictEqual([client.asked(), await client.project()], [0, fs.realpathSync(place("home/code"))])
    roots.shift()
    client.notify("notifications/roots/list_changed")
    assert.deepStrictEqual([await client.project(), client.asked()], [fs.realpathSync(place("home/code")), 1])
    const { content: [told], isError } = await client.call("workspace_sync_push", {
      workspace_id: await client.create(),
      source_path: place("other")
    })
    assert.deepStrictEqual(isError, true)
    assert.include(told!.text, `lies outside of the project ${fs.realpathSync(place("home/code"))}`)
  })

  it("calls that come at once share one question", async () => {
    const client = withRoots(() => ofFiles(uri("other")))
    await client.initialize()
    const projects = await Promise.all([client.project(), client.project(), client.project()])
    const other = fs.realpathSync(place("other"))
    assert.deepStrictEqual([projects, client.asked()], [[other, other, other], 1])
  })

  it.each([
    ["follows links", "link-to-other", "other"],
    ["decodes a URI", "a b#c", "a b#c"],
    ["takes a directory in a git work tree as it is", "tree/.git/..", "tree"]
  ])("the server %s", async (_, root, project) => {
    assert.strictEqual(await projectOf(ofFiles(uri(root))), fs.realpathSync(place(project)))
  })

  it("the server passes over roots that are no directory, or can be no project", async () => {
    const useless = [
      ...["file:///", uri("home"), uri("link-to-home"), uri("nowhere"), uri("file"), "file://elsewhere/etc"],
      ...["vscode-remote://ssh/work", "https://example.org", "/work", "", 7, null, "file:///%00", "file:///a%2fb"],
      `file:///${"x".repeat(100_000)}`
    ]
    assert.strictEqual(await projectOf(ofFiles(...useless, uri("other"))), fs.realpathSync(place("other")))
    assert.strictEqual(await projectOf(ofFiles(...useless)), "")
    assert.strictEqual(await projectOf(ofFiles(...Array.from({ length: 32 }, () => "file:///"), uri("other"))), "")
  })

  it.each([
    ["no list", { result: {} }],
    ["no root", ofFiles()],
    ["an error", { error: { code: -32_601, message: "method not found" } }]
  ])("a client that answers with %s leaves the server without a project", async (_, answer) => {
    assert.strictEqual(await projectOf(answer), "")
  })

  it("a client without roots is not asked, nor is one of the revision that has deprecated them", async () => {
    const none = withRoots(() => ofFiles(uri("other")))
    await none.initialize({})
    assert.deepStrictEqual([await none.project(), none.asked()], ["", 0])
    const modern = withRoots(() => ofFiles(uri("other")))
    const { result } = await modern.request("tools/call", {
      name: "workspace_list",
      arguments: {},
      ...envelope("2026-07-28", { "io.modelcontextprotocol/clientCapabilities": { roots: {} } })
    })
    assert.deepStrictEqual([result!["isError"], modern.asked()], [undefined, 0])
  })
})

describe("a server with a project", () => {
  it.each([
    ["the working directory", { cwd: "other" }, "other"],
    ["--project-path", { args: ["--project-path", place("other")] }, "other"],
    ["CLAUDE_PROJECT_DIR", { env: { CLAUDE_PROJECT_DIR: place("other") } }, "other"],
    ["a CLAUDE_PROJECT_DIR that can be none", { env: { CLAUDE_PROJECT_DIR: "/" } }, ""]
  ])("%s wins over the client's roots, which are not asked for", async (_, started, project) => {
    const client = withRoots(() => ofFiles(uri("home/code")), started)
    await client.initialize()
    const expected = project === "" ? "" : fs.realpathSync(place(project))
    assert.deepStrictEqual([await client.project(), client.asked()], [expected, 0])
  })
})
