import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { sharedCache } from "../support/own-cache.ts"
import { agentHosts, configure } from "./agent-hosts.ts"
import { startLoad } from "./load.ts"
import { newPlace, play, type Played } from "./play.ts"
import { startModel } from "./scripted-model.ts"

/** A name that Codex does not pass on by itself, and that Gemini CLI takes out. */
const SECRET = { MY_API_TOKEN: "correct-horse-battery" }

/** Busy processes, beside which Codex started without pyro's tools. */
const LOAD = 6

describe.each(agentHosts.map((host) => [host.name, host] as const))(
  "the approvals and secrets of %s, on a loaded host",
  (_, host) => {
    const { close, env, folder, json } = installation("pyro-hosts-")
    let project: string
    let played: Played
    let model: Awaited<ReturnType<typeof startModel>>

    beforeAll(async () => {
      const fix = { workspace_id: "fix" }
      model = await startModel(host.dialect, [
        { tool: "workspace_create", args: { name: "fix" } },
        { tool: "workspace_exec", args: { ...fix, command: "echo ran $((40 + 2))" } },
        {
          tool: "workspace_exec",
          args: { ...fix, command: "echo the token has ${#MY_API_TOKEN} characters", secret_env: ["MY_API_TOKEN"] }
        },
        { tool: "workspace_export", args: { ...fix, patch: true, output_path: "fix.patch" } },
        { tool: "workspace_delete", args: { workspace_ids: ["fix"] } }
      ])
      const place = newPlace(folder, { ...env, ...SECRET, PYRO_CACHE_DIR: sharedCache }, model.origin)
      project = place.project
      configure(host, place, ["--", "--secret-env", "MY_API_TOKEN"])
      const load = startLoad(LOAD)
      played = await play(host, place).finally(load.end)
    })
    afterAll(async () => {
      await model.close()
      await close()
    })

    it("the host gives the server the secret that connect named", () => {
      assert.include(model.seen().outputs[2], `the token has ${SECRET.MY_API_TOKEN.length} characters`, played.printed)
    })

    it("the host runs a command without a question, refuses an export and a deletion without a person to allow them, and leaves the workspace running", async () => {
      assert.include(model.seen().outputs[1] ?? "", "ran 42", played.printed)
      assert.isFalse(fs.existsSync(path.join(project, "fix.patch")), played.printed)
      const { workspaces } = await json<{ readonly workspaces: ReadonlyArray<{ readonly name: string }> }>([
        "workspace",
        "list"
      ])
      assert.deepStrictEqual(workspaces.map(({ name }) => name), ["fix"])
      const { state } = await json<{ readonly state: string }>(["workspace", "status", "fix"])
      assert.strictEqual(state, "running")
      await json(["workspace", "delete", "fix"])
    })
  }
)
