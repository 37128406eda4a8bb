import { afterAll, assert, beforeAll, describe, it } from "vitest"
import type { InsideName } from "../../src/contract/agent-inside.ts"
import { API, placeOfAgents } from "../support/agent-inside/place.ts"
import { anthropicOf } from "./dialects/anthropic.ts"
import type { Dialect } from "./dialects/dialect.ts"
import { gemini } from "./dialects/gemini.ts"
import { openaiResponses } from "./dialects/openai-responses.ts"
import { FINISHED, scriptedModel } from "./scripted-model.ts"

const KEY = "sk-test-0123456789-of-the-person"

interface Case {
  readonly agent: InsideName
  readonly dialect: Dialect
  readonly variables: Readonly<Record<string, string>>
  readonly args: ReadonlyArray<string>
  /** Header that has the key, and what it has. */
  readonly sent: readonly [header: string, value: string]
}

/** The agents beside Claude Code, which test/guest/agent-inside.test.ts runs. */
const cases: ReadonlyArray<Case> = [
  {
    agent: "codex",
    dialect: openaiResponses,
    variables: { OPENAI_API_KEY: KEY, OPENAI_BASE_URL: `https://${API}/v1` },
    args: ["exec", "--model", "scripted", "Say the words."],
    sent: ["authorization", `Bearer ${KEY}`]
  },
  {
    agent: "opencode",
    dialect: anthropicOf(""),
    variables: { ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: `https://${API}` },
    args: ["run", "--model", "anthropic/claude-sonnet-4-5", "Say the words."],
    sent: ["x-api-key", KEY]
  },
  {
    agent: "gemini",
    dialect: gemini,
    variables: { GEMINI_API_KEY: KEY, GOOGLE_GEMINI_BASE_URL: `https://${API}` },
    args: ["--model", "gemini-2.5-pro", "-p", "Say the words."],
    sent: ["x-goog-api-key", KEY]
  }
]

describe.each(cases.map((one) => [one.agent, one] as const))("%s in a workspace", (_, one) => {
  const model = scriptedModel(one.dialect, [])
  let place: Awaited<ReturnType<typeof placeOfAgents>>
  beforeAll(async () => {
    place = await placeOfAgents([one.agent], (request, response) => void model.listener(request, response))
  })
  afterAll(() => place.close())

  it("the agent asks its model with the person's key, and prints the answer", async () => {
    const { code, stderr, stdout } = await place.pyro.call(
      ["agent", one.agent, "--delete", "--", ...one.args],
      { ...place.here, env: one.variables }
    )
    const all = `${stdout.toString()}\n${stderr}\n${model.requests.join("\n")}`
    assert.strictEqual(code, 0, all)
    assert.include(stdout.toString(), FINISHED, all)
    const [header, value] = one.sent
    assert.deepStrictEqual([...new Set(model.headers.map((all) => all[header]))], [value])
    assert.deepStrictEqual(await place.pyro.list(), [])
  })
})
