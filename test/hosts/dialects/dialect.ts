/** One call of a pyro tool that the scripted model makes. */
export interface ToolCall {
  /** Name of the tool as pyro's server lists it. */
  readonly tool: string
  /** The arguments; a function makes them from the results of the calls before. */
  readonly args: Arguments | ((outputs: ReadonlyArray<string>) => Arguments)
  /** The model makes the call only after this. */
  readonly before?: () => Promise<void>
}

type Arguments = Readonly<Record<string, unknown>>

/** A request of a host to its model, as far as the script needs it. */
export interface Conversation {
  /** Names of the tools that the host offers, as the host writes them. */
  readonly tools: ReadonlyArray<string>
  /** Results of pyro's tools as the model sees them, in the order of the calls. */
  readonly outputs: ReadonlyArray<string>
}

/** A model API: how a host asks it, and how it answers. Every method is a pure function of one request's body. */
export interface Dialect {
  /** Tells whether a request's path asks the model to speak. */
  readonly serves: (path: string) => boolean
  readonly read: (body: unknown) => Conversation
  /** The host's name of a pyro tool. */
  readonly nameOf: (tool: string) => string
  /** Server-sent events that call a tool by the host's name of it. `step` makes ids unique. */
  readonly call: (name: string, args: object, step: number) => ReadonlyArray<ServerSentEvent>
  /** Server-sent events that say a text and end the turn. */
  readonly say: (text: string) => ReadonlyArray<ServerSentEvent>
  /** The answer to a request that wants one JSON document. */
  readonly document: (text: string) => object
}

export interface ServerSentEvent {
  readonly event?: string
  /** An object is sent as JSON. */
  readonly data: object | string
}

/** A result's text as a model sees it: content blocks become their text, an image becomes `[image TYPE]`. */
export const textOf = (content: unknown): string => {
  if (typeof content === "string") return content
  if (Array.isArray(content)) return content.map(textOf).join("\n")
  if (content === null || typeof content !== "object") return ""
  const block = content as { readonly [key: string]: unknown }
  if (typeof block["text"] === "string") return block["text"]
  if (JSON.stringify(block).includes("image/")) return `[image ${/image\/\w+/.exec(JSON.stringify(block))?.[0]}]`
  return JSON.stringify(block)
}
