import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type InsideName, insideNames } from "../../src/contract/rows/agent-host.ts"
import { API, placeOfAgents } from "../support/agent-inside/place.ts"
import { anthropicOf } from "./dialects/anthropic.ts"
import type { Dialect, ToolCall } from "./dialects/dialect.ts"
import { geminiOf } from "./dialects/gemini.ts"
import { openaiResponsesOf } from "./dialects/openai-responses.ts"
import { FINISHED, scriptedModel } from "./scripted-model.ts"

const KEY = "sk-test-0123456789-of-the-person"
const file = "/workspace/made.txt"
const text = "made in a microVM\n"
/** OpenCode needs three minutes under emulation, on a host with other work. */
const SLOW_MS = 900_000

interface Case {
  readonly dialect: Dialect
  readonly variables: Readonly<Record<string, string>>
  readonly args: ReadonlyArray<string>
  /** The agent's own tool makes the file. */
  readonly makes: ToolCall
  /** Header that has the key, and what it has. */
  readonly sent: readonly [header: string, value: string]
}

const cases: Readonly<Record<InsideName, Case>> = {
  "claude-code": {
    dialect: anthropicOf(""),
    variables: { ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: `https://${API}` },
    args: ["-p", "Make a file."],
    makes: { tool: "Write", args: { file_path: file, content: text } },
    sent: ["x-api-key", KEY]
  },
  codex: {
    dialect: openaiResponsesOf(undefined),
    variables: { OPENAI_API_KEY: KEY, OPENAI_BASE_URL: `https://${API}/v1` },
    args: ["exec", "--model", "scripted", "Make a file."],
    makes: { tool: "exec_command", args: { cmd: `printf '${text.trimEnd()}\\n' >${file}` } },
    sent: ["authorization", `Bearer ${KEY}`]
  },
  opencode: {
    dialect: anthropicOf(""),
    variables: { ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: `https://${API}` },
    args: ["run", "--model", "anthropic/claude-sonnet-4-5", "Make a file."],
    makes: { tool: "write", args: { filePath: file, content: text } },
    sent: ["x-api-key", KEY]
  },
  gemini: {
    dialect: geminiOf(""),
    variables: { GEMINI_API_KEY: KEY, GOOGLE_GEMINI_BASE_URL: `https://${API}` },
    args: ["--model", "gemini-2.5-pro", "-p", "Make a file."],
    makes: { tool: "write_file", args: { file_path: file, content: text } },
    sent: ["x-goog-api-key", KEY]
  }
}

describe.each(insideNames)("%s in a workspace", (agent) => {
  const { args, dialect, makes, sent: [header, value], variables } = cases[agent]
  const model = scriptedModel(dialect, [makes])
  let place: Awaited<ReturnType<typeof placeOfAgents>>
  beforeAll(async () => {
    place = await placeOfAgents([agent], (request, response) => void model.listener(request, response))
  })
  afterAll(() => place.close())

  it("the agent works with the person's key, reaches one host, and its change leaves as a patch", async () => {
    const words = ["agent", agent, "--name", "made", "--patch", "made.patch", "--", ...args]
    const { code, stderr, stdout } = await place.pyro.call(words, { ...place.here, env: variables })
    const all = `${stdout.toString()}\n${stderr}\n${JSON.stringify(model.seen())}\n${model.requests.join("\n")}`
    assert.strictEqual(code, 0, all)
    assert.include(stdout.toString(), FINISHED, all)
    assert.deepStrictEqual([...new Set(model.headers.map((all) => all[header]))], [value])
    assert.notInclude(model.bodies.join("\n"), KEY)

    const { entries } = await place.pyro.json<{
      readonly entries: ReadonlyArray<{ readonly host: string; readonly outcome: string }>
    }>(["workspace", "network", "log", "made"])
    const allowed = entries.filter(({ outcome }) => outcome === "allowed").map(({ host }) => host)
    assert.deepStrictEqual([...new Set(allowed)], [API])

    assert.strictEqual(place.git("status", "--short"), "?? made.patch\n", all)
    place.git("apply", "made.patch")
    assert.strictEqual(fs.readFileSync(path.join(place.project, "made.txt"), "utf8"), text)
    await place.pyro.json(["workspace", "delete", "made"])
  }, SLOW_MS)
})
