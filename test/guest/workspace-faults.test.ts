import * as fs from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { crashPoints } from "../../src/workspace/lifecycle/description.ts"
import { points, pointsOf } from "../support/fault-points.ts"
import { installation, qemuOf, shapeOf } from "../support/installation.ts"
import { until } from "../support/pyro-cli.ts"
import { settled, settlesAs } from "../support/settled.ts"

const pyro = installation("pyro-faults-", { cache: "own" })
const { call, create, daemon, inventory, killedAt, json, list, logs, sh, state, status, step } = pyro
afterAll(pyro.close)

const sources = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../src")

const sourceFiles = (folder: string): ReadonlyArray<string> =>
  fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name)
    return entry.isDirectory() ? sourceFiles(file) : file.endsWith(".ts") ? [file] : []
  })

const shape = () => shapeOf(inventory(), state)

const makeFiles = "for f in /usr/local/lib/tool /workspace/work; do head -c 300000 /dev/urandom > $f; done; " +
  "sync; sha256sum /usr/local/lib/tool /workspace/work"
const readFiles = "sync; echo 3 > /proc/sys/vm/drop_caches; sha256sum /usr/local/lib/tool /workspace/work"

describe("a daemon killed in the middle of a lifecycle step", () => {
  let digests = ""
  /** What is on the host with no workspace, and with one that runs or is stopped and a daemon that has just started. */
  let shapes: {
    readonly none: ReadonlyArray<string>
    readonly running: ReadonlyArray<string>
    readonly stopped: ReadonlyArray<string>
  }

  beforeAll(async () => {
    await list()
    const none = await settled(shape)
    await create(["--name", "whole"])
    digests = await sh("whole", makeFiles)
    await step("stop", "whole")
    await json(["daemon", "stop"])
    await list()
    const stopped = await settled(shape)
    await step("start", "whole")
    await json(["daemon", "stop"])
    await list()
    shapes = { none, stopped, running: await settled(shape) }
    assert.strictEqual(shapes.running.filter((line) => line.startsWith("/dev/shm")).length, 1)
    assert.strictEqual(shapes.stopped.filter((line) => line.startsWith("/dev/shm")).length, 0)
  })

  it("the points are all that there are", () => {
    const named = sourceFiles(sources).flatMap((file) =>
      [...fs.readFileSync(file, "utf8").matchAll(/faultPoint\("([^"]+)"\)/g)].map(([, name]) => name!)
    )
    const ofEngine = Object.entries(crashPoints).flatMap(([name, steps]) => steps.map((step) => `${name}:${step}`))
    assert.deepStrictEqual([...named, ...ofEngine].sort(), Object.keys(points).sort())
  })

  /** The next command finds it whole, with its files, and nothing else on the host. */
  const isWhole = async (state: "running" | "stopped") => {
    const [found] = await list()
    assert.strictEqual(found?.state, state, found?.detail)
    await settlesAs(shape, shapes[state])
    if (state === "stopped") await step("start", "whole")
    assert.strictEqual(await sh("whole", readFiles), digests)
  }

  it.each(pointsOf("stop"))("%s", async (point) => {
    await killedAt(point, ["workspace", "stop", "whole"])
    await isWhole(points[point] === "after" ? "stopped" : "running")
  })

  it.each(pointsOf("start"))("%s", async (point) => {
    await step("stop", "whole")
    await killedAt(point, ["workspace", "start", "whole"])
    await isWhole(points[point] === "after" ? "running" : "stopped")
  })

  it.each(pointsOf("reset"))("%s", async (point) => {
    const { generation, id } = await status("whole")
    await killedAt(point, ["workspace", "reset", "whole"])
    const [found] = await list()
    assert.deepStrictEqual([found?.id, found?.state], [id, "running"])
    await settlesAs(shape, shapes.running)
    if (points[point] === "before") {
      assert.strictEqual(found?.generation, generation)
      assert.isAbove((await logs("whole")).length, 0)
      assert.strictEqual(await sh("whole", readFiles), digests)
      return
    }
    assert.strictEqual(found?.generation, generation + 1)
    assert.deepStrictEqual(await logs("whole"), [])
    assert.strictEqual(await sh("whole", "ls -A /workspace; test ! -e /usr/local/lib/tool"), "")
    digests = await sh("whole", makeFiles)
  })

  it.each(pointsOf("adopt"))("%s", async (point) => {
    await killedAt(point, ["workspace", "list"])
    await isWhole("running")
  })

  it.each(pointsOf("died"))("%s", async (point) => {
    const [{ id } = { id: "" }] = await list()
    const qemu = await qemuOf(pyro, id)
    await json(["daemon", "stop"])
    await call(["workspace", "list"], { env: { PYRO_FAULT: point } })
    process.kill(qemu, "SIGKILL")
    await until("the daemon's end", async () => !(await daemon()).running)
    assert.strictEqual((await status("whole")).state, "failed")
    await step("start", "whole")
    await json(["daemon", "stop"])
    await isWhole("running")
  })

  it.each(pointsOf("delete"))("%s", async (point) => {
    if ((await list()).length === 0) await create(["--name", "whole"])
    await killedAt(point, ["workspace", "delete", "whole"])
    assert.deepStrictEqual(await list(), [])
    await settlesAs(shape, shapes.none)
  })

  it("what was being removed is gone after the next start", async () => {
    await json(["daemon", "stop"])
    const aside = path.join(state, "workspaces", ".swept-0123456789abcdef")
    fs.mkdirSync(path.join(aside, "disk-0"), { recursive: true })
    fs.writeFileSync(path.join(aside, "disk-0", "0.qcow2"), "")
    await list()
    await settlesAs(shape, shapes.none)
  })

  it.each(pointsOf("create"))("%s", async (point) => {
    await killedAt(point, ["workspace", "create", "--mem-mib", "256", "--disk-mib", "512", "--name", "fresh"])
    const found = await list()
    if (points[point] === "gone") {
      assert.deepStrictEqual(found, [])
      await settlesAs(shape, shapes.none)
      return
    }
    assert.deepStrictEqual(found.map(({ name, state }) => [name, state]), [["fresh", "running"]])
    await settlesAs(shape, shapes.running)
    assert.strictEqual(await sh("fresh", "hostname; pwd; ls -A"), "fresh\n/workspace")
    await json(["workspace", "delete", "fresh"])
    await settlesAs(() => inventory().filter((line) => line.includes("/ws-")), [])
  })
})
