import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, describe, it, onTestFailed } from "vitest"
import { installation } from "../support/installation.ts"
import { failed, stockClients, succeeded } from "../support/mcp/mcp-clients.ts"
import { sharedCache } from "../support/own-cache.ts"

const ENVIRONMENT = "debian:12-base"

/** All processes beneath one, as `/proc` has them now. */
const descendantsOf = (pid: number): ReadonlyArray<number> => {
  const children = (parent: number): ReadonlyArray<number> => {
    try {
      return fs.readdirSync(`/proc/${parent}/task`).flatMap((task) =>
        fs.readFileSync(`/proc/${parent}/task/${task}/children`, "utf8").split(" ").filter((word) => word !== "").map(
          Number
        )
      )
    } catch {
      return []
    }
  }
  return children(pid).flatMap((child) => [child, ...descendantsOf(child)])
}

const isBuild = (pid: number) => {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("mmdebstrap")
  } catch {
    return false
  }
}

describe("workspace_create of an environment that is not built yet", () => {
  const own = installation("pyro-mcp-build-")
  const cache = path.join(own.folder, "cache")
  afterAll(own.close)

  it("workspace_create returns during the build, and the same call joins the build", async () => {
    for (const shared of ["kernels", "packages"]) {
      fs.mkdirSync(cache, { recursive: true, mode: 0o700 })
      fs.symlinkSync(path.join(fs.realpathSync(sharedCache), shared), path.join(cache, shared))
    }
    const project = path.join(own.folder, "project")
    fs.mkdirSync(project)
    fs.writeFileSync(path.join(project, "a.txt"), "a\n")
    const client = await stockClients["2025-11-25"]!({
      cwd: project,
      args: ["--project-path", project],
      env: { ...own.env, PYRO_CACHE_DIR: cache }
    })
    const messages: Array<string> = []
    const create = () =>
      client.call("workspace_create", { name: "slow", environment: ENVIRONMENT }, {
        timeout: 200_000,
        onprogress: ({ message }) => void messages.push(message ?? "")
      })

    // Stands still, as a slow mirror makes it, until the first answer is there.
    const first = create()
    const held = new Set<number>()
    let isHeld = true
    const holding = setInterval(() => {
      void own.daemon().then(({ pid }) => {
        // An answer that comes after the end of the hold stops nothing.
        for (const one of pid === undefined || !isHeld ? [] : descendantsOf(pid).filter(isBuild)) {
          held.add(one)
          process.kill(one, "SIGSTOP")
        }
      }).catch(() => {})
    }, 500)
    const goOn = () => {
      isHeld = false
      clearInterval(holding)
      for (const one of held) {
        try {
          process.kill(one, "SIGCONT")
        } catch {
          // The process has ended.
        }
      }
    }
    onTestFailed(goOn)
    const answer = await first
    assert.isAbove(held.size, 0, "no build was seen")
    assert.match(failed(answer), /^not_ready_yet: workspace_create takes/)
    assert.isAbove(messages.length, 1)

    goOn()
    // A loaded host may build for longer than a call waits: the call joins the build again, as its answer says.
    let joined = await create()
    while (joined.isError === true && failed(joined).startsWith("not_ready_yet:")) joined = await create()
    const created = succeeded<{ readonly workspace: { readonly environment: string; readonly state: string } }>(joined)
    assert.deepInclude(created.workspace, { environment: ENVIRONMENT, state: "running" })
    assert.lengthOf(await own.list(), 1)
    await client.close()
  })
})
