import { ProtocolError, ProtocolErrorCode, type Server } from "@modelcontextprotocol/server"
import type { Mode } from "../contract/modes/mode.ts"
import { named } from "../contract/names.ts"

const refuse = (message: string) => new ProtocolError(ProtocolErrorCode.InvalidParams, message)

/** Offers the prompt of a mode. Hosts show a prompt to people as a command of its name. */
export const addPrompts = (server: Server, { name, prompt }: Mode): void => {
  const listed = prompt.arguments.map((argument) => ({ ...argument, required: false }))
  const list = { prompts: [{ name, description: prompt.description, arguments: listed }] }
  server.setRequestHandler("prompts/list", () => list)
  server.setRequestHandler("prompts/get", ({ params }) => {
    if (params.name !== name) throw refuse(`there is no prompt ${params.name}; this server has ${name}`)
    // Hosts send an empty text for an argument that a person left empty.
    const given = Object.entries(params.arguments ?? {}).filter(([, text]) => text.trim() !== "")
    const unknown = given.find(([key]) => !listed.some((one) => one.name === key))
    if (unknown !== undefined) {
      throw refuse(`${unknown[0]} is no argument of ${name}; it has ${listed.map((one) => one.name).join(", ")}`)
    }
    const text = prompt.text(named(given))
    return {
      description: prompt.description,
      messages: [{ role: "user" as const, content: { type: "text" as const, text } }]
    }
  })
}
