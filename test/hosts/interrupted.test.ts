import type { ChildProcess } from "node:child_process"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { sharedCache } from "../support/own-cache.ts"
import { lapsed } from "../support/until.ts"
import { agentHosts, configure } from "./agent-hosts.ts"
import { newPlace, play, type Played } from "./play.ts"
import { startModel } from "./scripted-model.ts"

interface Logs {
  readonly commands: ReadonlyArray<{ readonly exec_id: string; readonly outcome: string }>
}

describe.each(agentHosts.map((host) => [host.name, host] as const))("Ctrl-C in %s", (_, host) => {
  const { close, env, folder, json } = installation("pyro-hosts-")
  let played: Played
  let model: Awaited<ReturnType<typeof startModel>>

  const commands = async () => (await json<Logs>(["workspace", "logs", "fix"])).commands

  /**
   * As a terminal does: SIGINT to every process of the foreground job. A person presses Ctrl-C again if the host goes on: OpenCode
   * ignores a SIGINT that comes as soon as a tool runs.
   */
  const interruptOnceRunning = async (child: ChildProcess) => {
    const hasEnded = () => child.exitCode !== null || child.signalCode !== null
    const isThere = () => model.seen().outputs[0]?.includes("error") === false
    while (!hasEnded() && !(isThere() && (await commands()).some(isRunning))) await pause()
    while (!hasEnded()) {
      process.kill(-child.pid!, "SIGINT")
      for (let tries = 0; tries < TRIES_A_PRESS && !hasEnded(); tries += 1) await pause()
    }
  }

  beforeAll(async () => {
    model = await startModel(host.dialect, [
      { tool: "workspace_create", args: { name: "fix" } },
      { tool: "workspace_exec", args: { workspace_id: "fix", command: "sleep 1000", wait_seconds: 40 } }
    ])
    const place = newPlace(folder, { ...env, PYRO_CACHE_DIR: sharedCache }, model.origin)
    // The default approvals: exports and deletions alone need a person.
    configure(host, place)
    played = await play(host, place, {
      onStart: (child) => {
        void interruptOnceRunning(child)
      }
    })
  })
  afterAll(async () => {
    await model.close()
    await close()
  })

  it("Ctrl-C in the host ends the command that the host waits for", async () => {
    let running = await commands()
    for (let tries = 0; tries < 100 && running.some(isRunning); tries += 1) {
      await pause()
      running = await commands()
    }
    assert.lengthOf(running, 1, played.printed)
    assert.isFalse(running.some(isRunning), JSON.stringify(running))
  })

  it("Ctrl-C in the host keeps the workspace", async () => {
    const { workspaces } = await json<{ readonly workspaces: ReadonlyArray<{ readonly name: string }> }>(
      ["workspace", "list"]
    )
    assert.deepStrictEqual(workspaces.map(({ name }) => name), ["fix"])
    await json(["workspace", "delete", "fix"])
  })
})

/** Pauses of 100 ms between one Ctrl-C and the next. */
const TRIES_A_PRESS = 50

const isRunning = ({ outcome }: { readonly outcome: string }) => outcome === "running"

const pause = () => lapsed(100)
