// pyro's tools as functions of OpenAI's Responses API: OPENAI_API_KEY=... node scripts/example.mjs examples/openai-responses.ts
import { Console, Effect } from "effect"
import { Pyro } from "pyro"
import { layer as LocalPyro } from "pyro/local"
import { bindProject, type JsonSchema, type ListedTool, makeTools } from "pyro/mcp"

const { OPENAI_API_KEY, OPENAI_BASE_URL = "https://api.openai.com/v1", OPENAI_MODEL = "gpt-5" } = process.env
const MAX_TURNS = 30

/** A record of anything, such as environment variables: strict mode has no words for it. */
const isOpen = ({ properties, type }: JsonSchema) => type === "object" && properties === undefined

/** A schema as strict mode wants it: all is required, and what is optional may be null, which pyro takes as left out. */
const strictly = (schema: JsonSchema): JsonSchema => {
  if (schema.items !== undefined) return { ...schema, items: strictly(schema.items) }
  if (schema.anyOf !== undefined) return { ...schema, anyOf: schema.anyOf.map(strictly) }
  if (schema.properties === undefined) return schema
  const told = Object.entries(schema.properties).filter(([, one]) => !isOpen(one))
  const properties = told.map(([name, one]): [string, JsonSchema] => [
    name,
    schema.required?.includes(name) === true ? strictly(one) : { anyOf: [strictly(one), { type: "null" }] }
  ])
  return {
    ...schema,
    properties: Object.fromEntries(properties),
    required: told.map(([name]) => name),
    additionalProperties: false
  }
}

const functionOf = ({ description, inputSchema, name }: ListedTool) => ({
  type: "function",
  name,
  description,
  parameters: strictly(inputSchema),
  strict: true
})

/** As much of an answer as is looked at. */
interface Response {
  readonly id: string
  readonly output: ReadonlyArray<
    | { readonly type: "function_call"; readonly call_id: string; readonly name: string; readonly arguments: string }
    | { readonly type: "message"; readonly content: ReadonlyArray<{ readonly type: string; readonly text?: string }> }
    | { readonly type: "reasoning" }
  >
}

const respond = (body: object) =>
  Effect.tryPromise(async (signal): Promise<Response> => {
    const answer = await fetch(`${OPENAI_BASE_URL}/responses`, {
      method: "POST",
      headers: { authorization: `Bearer ${OPENAI_API_KEY}`, "content-type": "application/json" },
      body: JSON.stringify(body),
      signal
    })
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
    return await answer.json() as Response
  })

const program = Effect.gen(function*() {
  const project = yield* Effect.fromResult(bindProject({ projectPath: "examples/greeting" }, {}))
  const { call, list } = makeTools({ profile: "workspace-core", project, pyro: Effect.succeed(yield* Pyro) })
  const request = { model: OPENAI_MODEL, tools: list.map(functionOf) }
  let input: ReadonlyArray<object> = [{
    role: "user",
    content: "sh test.sh fails. Mend it in a workspace of /workspace, show the diff, and delete the workspace."
  }]
  let previous_response_id: string | undefined
  for (let turn = 0; turn < MAX_TURNS; turn++) {
    const { id, output } = yield* respond({ ...request, input, previous_response_id })
    for (const item of output) {
      if (item.type === "message") yield* Console.log(item.content.map(({ text = "" }) => text).join(""))
    }
    const calls = output.filter((item) => item.type === "function_call")
    if (calls.length === 0) return
    // Calls of one answer do not depend on one another.
    input = yield* Effect.forEach(calls, ({ arguments: args, call_id, name }) =>
      Effect.gen(function*() {
        const { content: [{ text }] } = yield* call(name, JSON.parse(args))
        yield* Console.log(`${name} ${args}\n${text}\n`)
        return { type: "function_call_output", call_id, output: text }
      }), { concurrency: "unbounded" })
    previous_response_id = id
  }
  yield* Console.error(`not done after ${MAX_TURNS} turns`)
})

/** Every failure has a message for people. */
const failed = (error: { readonly message: string }) =>
  Effect.sync(() => {
    console.error(error.message)
    process.exitCode = 1
  })

if (OPENAI_API_KEY === undefined) {
  console.error("OPENAI_API_KEY is not set; OPENAI_BASE_URL and OPENAI_MODEL choose another API and model")
  process.exitCode = 2
} else await program.pipe(Effect.provide(LocalPyro), Effect.catch(failed), Effect.runPromise)
