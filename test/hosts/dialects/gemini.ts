import { type Dialect, type ServerSentEvent, textOf } from "./dialect.ts"

interface Part {
  readonly functionResponse?: { readonly name: string; readonly response: Readonly<Record<string, unknown>> }
}

interface Body {
  readonly contents: ReadonlyArray<{ readonly parts: ReadonlyArray<Part> }>
  readonly tools?: ReadonlyArray<{ readonly functionDeclarations?: ReadonlyArray<{ readonly name: string }> }>
}

const candidate = (part: object): object => ({
  candidates: [{ index: 0, content: { role: "model", parts: [part] }, finishReason: "STOP" }],
  usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 }
})

const one = (part: object): ReadonlyArray<ServerSentEvent> => [{ data: candidate(part) }]

/**
 * Google's Gemini API, which Gemini CLI speaks, with a model that calls tools whose names begin with a prefix. Its prompt tells the model to
 * set `wait_for_previous`, so the script does.
 */
export const geminiOf = (prefix: string): Dialect => ({
  serves: (path) => /:(?:streamG|g)enerateContent\b/.test(path),
  read: (body) => {
    const { contents, tools = [] } = body as Body
    return {
      tools: tools.flatMap(({ functionDeclarations = [] }) => functionDeclarations.map(({ name }) => name)),
      outputs: contents.flatMap(({ parts }) => parts)
        .flatMap(({ functionResponse }) => functionResponse?.name.startsWith(prefix) === true ? [functionResponse] : [])
        .map(({ response }) => textOf(response["output"] ?? response["error"] ?? response))
    }
  },
  nameOf: (tool) => `${prefix}${tool}`,
  call: (name, args) => one({ functionCall: { name, args: { ...args, wait_for_previous: true } } }),
  say: (text) => one({ text }),
  document: (text) => candidate({ text })
})

export const gemini = geminiOf("mcp_pyro_")
