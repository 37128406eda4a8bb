import type { HarnessV1, HarnessV1StreamPart } from "@ai-sdk/harness"
import { HarnessAgent } from "@ai-sdk/harness/agent"
import { tool } from "ai"
import { createPyroSandbox } from "pyro/ai-sdk/harness"
import { connect } from "pyro/promises"
import { assert, describe, it } from "vitest"
import { z } from "zod"
import { ownPyro, small } from "./own-pyro.ts"

ownPyro()

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 }
}
const stop = { unified: "stop", raw: "stop" } as const

/** A harness whose program, which its bootstrap installs, does what a prompt says and counts its runs. */
const scripted = (): HarnessV1 => {
  const state = { type: "resume-session", harnessId: "scripted", specificationVersion: "harness-v1", data: {} } as const
  return {
    specificationVersion: "harness-v1",
    harnessId: "scripted",
    builtinTools: {},
    getBootstrap: () =>
      Promise.resolve({
        harnessId: "scripted",
        bootstrapDir: "/opt/scripted",
        files: [{ path: "/opt/scripted/run.sh", content: "cat /opt/scripted/installed; echo run >>runs; wc -l <runs" }],
        commands: [{ command: "echo installed >>/opt/scripted/installed" }]
      }),
    doStart: ({ resumeFrom, sandboxSession, sessionId, sessionWorkDir }) => {
      const never = () => Promise.reject(new Error("the script has no such turn"))
      return Promise.resolve({
        sessionId,
        isResume: resumeFrom !== undefined,
        doPromptTurn: async ({ emit }) => {
          const { stdout } = await sandboxSession.run({
            command: "sh /opt/scripted/run.sh",
            workingDirectory: sessionWorkDir
          })
          let told = () => {}
          const done = new Promise<void>((resolve) => (told = resolve))
          const parts: ReadonlyArray<HarnessV1StreamPart> = [
            { type: "stream-start" },
            { type: "tool-call", toolCallId: "c", toolName: "look", input: "{}" }
          ]
          queueMicrotask(() => parts.forEach(emit))
          return {
            done,
            submitToolResult: ({ output }) => {
              const last: ReadonlyArray<HarnessV1StreamPart> = [
                { type: "text-start", id: "t" },
                { type: "text-delta", id: "t", delta: stdout + String(output) },
                { type: "text-end", id: "t" },
                { type: "finish-step", finishReason: stop, usage },
                { type: "finish", finishReason: stop, totalUsage: usage }
              ]
              last.forEach(emit)
              told()
              return Promise.resolve()
            }
          }
        },
        doCompact: () => Promise.resolve(),
        doContinueTurn: never,
        doSuspendTurn: never,
        doDetach: () => Promise.resolve(state),
        doStop: () => Promise.resolve(state),
        doDestroy: () => Promise.resolve()
      })
    }
  }
}

/** A new definition of the agent, as another process has it. Its tool works in the sandbox of the harness. */
const agentOf = () =>
  new HarnessAgent({
    harness: scripted(),
    sandbox: createPyroSandbox(small),
    tools: {
      // The packages of the AI SDK have types of several releases of each other.
      look: tool({
        description: "Looks at the runs",
        inputSchema: z.object({}),
        execute: async (_, { experimental_sandbox: sandbox }) =>
          (await sandbox!.run({ command: "cat /opt/scripted/installed" })).stdout
      }) as never
    }
  })

describe("a harness agent of the AI SDK on pyro", () => {
  it("a harness is installed once, its sessions work apart, and a stopped session goes on elsewhere", async () => {
    await using client = connect()
    const first = await agentOf().createSession({ sessionId: "one" })
    const turn = await agentOf().generate({ session: first, prompt: "Run." })
    assert.strictEqual(turn.text, "installed\n1\ninstalled\n")
    assert.lengthOf(await client.saved.list(), 1)
    const state = await first.stop()

    const other = await agentOf().createSession({ sessionId: "two" })
    assert.strictEqual((await agentOf().generate({ session: other, prompt: "Run." })).text, "installed\n1\ninstalled\n")
    await other.destroy()

    const again = await agentOf().createSession({ sessionId: "one", resumeFrom: state })
    assert.isTrue(again.isResume)
    assert.strictEqual((await agentOf().generate({ session: again, prompt: "Run." })).text, "installed\n2\ninstalled\n")
    await again.destroy()
    assert.lengthOf(await client.list(), 0)
  })
})
