import { AjvJsonSchemaValidator } from "@modelcontextprotocol/client/validators/ajv"
import { assert } from "vitest"
import type { McpSurface } from "../../src/contract/rows/operation.ts"
import type { WorkspaceInfo } from "../../src/contract/rows/workspace-info.ts"
import type { CallResult } from "../../src/mcp/call.ts"
import { profileTools } from "../../src/mcp/tool-table.ts"
import { textOf } from "./fakes.ts"

/** A workspace that runs. */
export const info: WorkspaceInfo = {
  id: "ws-0123456789",
  labels: {},
  environment: "debian:12",
  environmentDigest: "sha256:00",
  state: "running",
  createdAt: "2025-01-02T03:04:05.000Z",
  lastActivityAt: "2025-01-02T03:04:05.000Z",
  generation: 1,
  vcpuCount: 1,
  memoryMib: 1024,
  diskMib: 16_384,
  runningCommands: 0
}

const validators = new AjvJsonSchemaValidator()

/** Both halves are there, short, and what they are said to be. */
export const succeeds = (name: string, result: CallResult) => {
  assert.isUndefined(result.isError, textOf(result))
  const { outputSchema, row } = profileTools("full").find(({ listed }) => listed.name === name)!
  const { schemaless }: McpSurface = row.mcp
  assert.isObject(result.structuredContent)
  if (schemaless !== true) {
    const { errorMessage, valid } = validators.getValidator(outputSchema as never)(result.structuredContent)
    assert.isTrue(valid, errorMessage)
  }
  assert.isAtMost(textOf(result).length, 8_000)
  assert.isAtMost(JSON.stringify(result.structuredContent).length, 8_000)
  return result.structuredContent as Record<string, never>
}

/** A failure is one text: its code, what happened, and what to do next. */
export const fails = (result: CallResult, start: string) => {
  assert.isTrue(result.isError)
  assert.isUndefined(result.structuredContent)
  assert.isTrue(textOf(result).startsWith(start), textOf(result))
  assert.match(textOf(result), /\nhint: \S/)
  assert.isAtMost(textOf(result).length, 2_200)
}
