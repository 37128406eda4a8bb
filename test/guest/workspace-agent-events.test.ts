import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { until } from "../support/pyro-cli.ts"

describe("a workspace in which a process is killed for want of memory", () => {
  const pyro = installation("pyro-agent-events-")
  afterAll(pyro.close)

  it("a kill for lack of memory is in the workspace's event log and the daemon's log", async () => {
    const { id } = await pyro.create(["--name", "small"])
    // The shell ends by itself: only the agent tells why its child did.
    const { code } = await pyro.call(["workspace", "exec", "small", "--", "sh", "-c", "tail /dev/zero; exit 3"])
    assert.strictEqual(code, 3)
    const file = path.join(pyro.state, "workspaces", id, "events.jsonl")
    const found = () =>
      fs.readFileSync(file, "utf8").split("\n").filter((line) => line !== "").map((line) =>
        JSON.parse(line) as { readonly _tag: string; readonly level?: string; readonly text?: string }
      ).find(({ _tag }) => _tag === "agent")
    // The agent's event and the end of the command come by two ways.
    await until("the agent's event", () => found() !== undefined)
    const event = found()
    assert.strictEqual(event?.level, "warning")
    assert.match(event!.text ?? "", /killed for want of memory/)
    const { text } = await pyro.json<{ readonly text: string }>(["daemon", "logs"])
    assert.include(text, `${id}: its agent: ${event!.text}`)
  })
})
