import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { layer as behindItsDaemon } from "../../src/sdk/installed.ts"
import { makePromises, type PyroPromises } from "../../src/sdk/promises.ts"
import { installation } from "../support/installation.ts"

const own = installation("pyro-spare-")
const before = process.env["PYRO_STATE_DIR"]
let pyro: PyroPromises
beforeAll(async () => {
  process.env["PYRO_STATE_DIR"] = own.state
  pyro = makePromises(behindItsDaemon)
  await own.create(["--name", "w"])
})
afterAll(async () => {
  await pyro.close()
  if (before === undefined) delete process.env["PYRO_STATE_DIR"]
  else process.env["PYRO_STATE_DIR"] = before
  await own.close()
})

const run = async (script: string, workspace = "w") =>
  (await pyro.workspace.exec({ workspace, command: ["bash", "-c", script] })).stdout

/** Pid and cgroup of the process in which the next command will run; the agent makes one a moment after any command but the first began. */
const findSpare = `
until spare=$(grep -lx pyro-next /proc/[0-9]*/comm 2>/dev/null); do sleep 0.01; done
pid=\${spare//[!0-9]/}
cgroup=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/$pid/cgroup)
`

const sparePid = async (workspace?: string) => {
  await run("true", workspace)
  return Number(await run(`${findSpare} echo $pid`, workspace))
}

describe("the process that waits for the next command", () => {
  it("the waiting process becomes the next command, in its own cgroup", async () => {
    const pid = await sparePid()
    assert.strictEqual(Number(await run("echo $$")), pid)
    // The one that asks, and the one that waits.
    assert.strictEqual(
      Number(await run(`${findSpare} grep -l 'populated 1' /sys/fs/cgroup/pyro/*/cgroup.events | wc -l`)),
      2
    )
  })

  it.each([
    ["kills every process", "kill -9 -1"],
    ["kills its cgroup", "echo 1 > $cgroup/cgroup.kill"],
    ["freezes its cgroup", "echo 1 > $cgroup/cgroup.freeze"],
    ["stops every process", "kill -STOP -1"],
    ["asks every process to end", "kill -TERM -1; kill -HUP -1; kill -INT -1"],
    [
      "takes its cgroup's processes away",
      "mkdir /sys/fs/cgroup/pyro/other; echo $pid > /sys/fs/cgroup/pyro/other/cgroup.procs"
    ]
  ])("commands work when the guest's root %s", async (_, harm) => {
    assert.strictEqual(await run(`${findSpare} ${harm}; echo done`), "done\n")
    for (let count = 0; count < 4; count++) assert.strictEqual(await run("echo $(echo well)"), "well\n")
  })

  it("a fork and a reset have a new waiting process", async () => {
    await run("echo kept > /workspace/file")
    await pyro.workspace.fork({ workspace: "w", name: "child" })
    for (const name of ["child", "w"]) {
      const pid = await sparePid(name)
      assert.strictEqual(await run("echo $$; cat /workspace/file", name), `${pid}\nkept\n`)
    }
    await pyro.workspace.reset({ workspace: "w" })
    const pid = await sparePid()
    assert.strictEqual(await run("echo $$; cat /workspace/file || true"), `${pid}\n`)
  })
})

describe("a cgroup that is used again", () => {
  const pidsMax = "cat /sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)/pids.max"
  /** One with a stdin is not run by the process that waits: the agent takes a cgroup for it. */
  const withStdin = async (script: string) =>
    (await pyro.workspace.exec({ workspace: "w", command: ["bash", "-c", script] }, { stdin: "" })).stdout

  it("a command keeps its limit of processes when the guest's root removed the cgroup", async () => {
    const limit = await withStdin(pidsMax)
    assert.match(limit, /^\d+\n$/)
    // Several at a time, so that several are left to be used again.
    await Promise.all([1, 2, 3].map(() => withStdin("sleep 0.3")))
    const removed = await run(
      "cd /sys/fs/cgroup/pyro; for one in [0-9]*; do rmdir $one && echo $one; done 2>/dev/null; true"
    )
    assert.isAbove(removed.split("\n").length, 1)
    assert.strictEqual(await withStdin(pidsMax), limit)
  })
})
