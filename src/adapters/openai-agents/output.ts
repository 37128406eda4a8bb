import type { SandboxExecResult } from "@openai/agents/sandbox"
import { randomUUID } from "node:crypto"

const BYTES_PER_TOKEN = 4

/** Output of at most so many tokens: its beginning and its end. */
const within = (
  output: string,
  maxTokens: number | undefined
): Pick<SandboxExecResult, "output" | "originalTokenCount"> => {
  const bytes = new TextEncoder().encode(output)
  const most = (maxTokens ?? Infinity) * BYTES_PER_TOKEN
  if (bytes.length <= most) return { output }
  const half = Math.floor(most / 2)
  const text = (part: Uint8Array) => new TextDecoder().decode(part)
  const left = Math.ceil((bytes.length - 2 * half) / BYTES_PER_TOKEN)
  return {
    output: `${text(bytes.subarray(0, half))}...${left} tokens truncated...${
      text(bytes.subarray(bytes.length - half))
    }`,
    originalTokenCount: Math.ceil(bytes.length / BYTES_PER_TOKEN)
  }
}

/** The result with output that fits. */
export const fitting = (result: SandboxExecResult, maxTokens: number | undefined): SandboxExecResult => ({
  ...result,
  ...within(result.output, maxTokens)
})

/** A result in the words that the SDK's own sandboxes have for a model. */
export const told = ({ exitCode, originalTokenCount, output, sessionId, wallTimeSeconds }: SandboxExecResult): string =>
  [
    `Chunk ID: ${randomUUID().slice(0, 6)}`,
    `Wall time: ${wallTimeSeconds.toFixed(4)} seconds`,
    sessionId === undefined ? `Process exited with code ${exitCode}` : `Process running with session ID ${sessionId}`,
    ...(originalTokenCount === undefined ? [] : [`Original token count: ${originalTokenCount}`]),
    "Output:",
    output
  ].join("\n")

const SIGNATURES = [
  ["image/png", /^\x89PNG\r\n\x1a\n/],
  ["image/jpeg", /^\xff\xd8\xff/],
  ["image/gif", /^GIF8[79]a/],
  ["image/webp", /^RIFF[^]{4}WEBP/],
  ["image/bmp", /^BM/],
  ["image/tiff", /^(II[*+]\0|MM\0[*+])/],
  ["image/svg+xml", /^\s*(<\?xml[^]*?\?>\s*)?(<!--[^]*?-->\s*)*(<!DOCTYPE svg[^>]*>\s*)?<svg[\s>]/i]
] as const

/** The media type of an image. Undefined if it is none that models can see. */
export const imageType = (bytes: Uint8Array): string | undefined => {
  const head = Buffer.from(bytes.subarray(0, 4096)).toString("latin1")
  return SIGNATURES.find(([, signature]) => signature.test(head))?.[0]
}
