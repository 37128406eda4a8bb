import { ProtocolError, ProtocolErrorCode, type Server } from "@modelcontextprotocol/server"
import type { Mode } from "../contract/rows/modes.ts"
import { onePage } from "./one-page.ts"

const refuse = (message: string) => new ProtocolError(ProtocolErrorCode.InvalidParams, message)

/** Offers the prompt of a mode. Hosts show a prompt to people as a command of its name. */
export const addPrompts = (server: Server, { name, prompt: { argument, description, text } }: Mode): void => {
  const list = { prompts: [{ name, description, arguments: [{ ...argument, required: false }] }] }
  server.setRequestHandler("prompts/list", onePage(list))
  server.setRequestHandler("prompts/get", ({ params }) => {
    if (params.name !== name) throw refuse(`there is no prompt ${params.name}; this server has ${name}`)
    // Hosts send an empty text for an argument that a person left empty.
    const given = Object.entries(params.arguments ?? {}).filter(([, typed]) => typed.trim() !== "")
    const unknown = given.find(([key]) => key !== argument.name)
    if (unknown !== undefined) throw refuse(`${unknown[0]} is no argument of ${name}; it has ${argument.name}`)
    const content = { type: "text" as const, text: text(given[0]?.[1]) }
    return { description, messages: [{ role: "user" as const, content }] }
  })
}
