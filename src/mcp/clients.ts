import { clientName } from "../contract/text/client-name.ts"
import type { Fields } from "./handshake/request-shape.ts"

/** An agent host that needs the text of a result alone, and never shows a model the server's instructions. */
interface OneHalfHost {
  readonly host: string
  /** `clientInfo.name` of the host's client. */
  readonly client: RegExp
  /** The observation in a run, or in the source, with the version. */
  readonly evidence: string
}

/** A row needs evidence: most hosts show one half, and need the schema of the structured one. */
export const oneHalfHosts: ReadonlyArray<OneHalfHost> = [
  {
    host: "Copilot CLI",
    client: /^copilot-cli$/,
    evidence:
      "1.0.102, run with a scripted model API: one request has both halves of a result, and none has the instructions"
  },
  {
    host: "Cline",
    client: /^@cline\/core$/,
    evidence:
      "@cline/core 0.0.86, read in part and not run: the client of a stdio server drops the result of initialize, a tool returns the result of a call " +
      "with both halves, and each text in it is cut in its middle at 8,000 characters by default. How a provider then sends it was not read"
  },
  {
    host: "Qwen Code",
    client: /^qwen-(?:cli|code)-mcp-client/,
    evidence:
      "0.15.10, read in part and not run: nothing reads the instructions of a client. The model gets the blocks of a result's text half alone, and " +
      "the whole result of a failed call"
  }
]

/** Whether a client gets the text of a result alone, and reads the instructions where it finds its first tool. */
export const getsOneHalf = (client: string | undefined): boolean =>
  client !== undefined && oneHalfHosts.some((one) => one.client.test(client))

/** A list of tools for such a client: without output schemas, and with the instructions. */
export const listForOneHalf = <Tool extends { readonly description?: string | undefined }>(
  tools: ReadonlyArray<Tool & { readonly outputSchema?: unknown }>,
  instructions: string
): Array<Tool> =>
  tools.map(({ outputSchema: _, ...tool }, at) => {
    const { description = "" } = tool
    return { ...tool, ...(at === 0 ? { description: `${description}\n\n${instructions}` } : {}) } as unknown as Tool
  })

/** `clientInfo.name` of a message's client info. */
export const clientNameOf = (info: unknown): string | undefined => {
  const name = typeof info === "object" && info !== null ? (info as Fields)["name"] : undefined
  return typeof name === "string" ? name : undefined
}

/** Title or name, and version, of a message's client info, for people. The texts are the client's own. */
export const clientTextOf = (info: unknown): string | undefined => {
  if (typeof info !== "object" || info === null) return undefined
  const { name, title, version } = info as Fields
  const said = [title, name].find((text) => typeof text === "string" && clientName(text) !== undefined)
  return said === undefined
    ? undefined
    : clientName(typeof version === "string" ? `${said as string} ${version}` : said as string)
}
