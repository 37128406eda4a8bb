import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { points, pointsOf } from "../support/fault-points.ts"
import { installation, shapeOf } from "../support/installation.ts"
import { settled, settlesAs } from "../support/settled.ts"
import { snapshots } from "../support/snapshots.ts"

const pyro = installation("pyro-faults-snapshot-")
const { call, create, inventory, json, killedAt, list, sh, state, status } = pyro
const { fork, kinds, logs, snapshot } = snapshots(pyro)
afterAll(pyro.close)

const files = "/usr/local/lib/tool /workspace/work"
const makeFiles = `for f in ${files}; do head -c 300000 /dev/urandom > $f; done; sync; sha256sum ${files}`
const readFiles = `sync; echo 3 > /proc/sys/vm/drop_caches; sha256sum ${files}`

/**
 * What is on the host, but for the layers (a crash may leave an empty one, which is no harm), the folder of no snapshots, and templates,
 * which these steps make none of.
 */
const shape = () =>
  shapeOf(inventory(), state).filter((line) => !/\/\d+\.(qcow2|ext4)$|\/snapshots$|\/templates\//.test(line))

describe("a daemon killed in the middle of a snapshot, a fork, or a reset to a snapshot", () => {
  let digests = ""
  let running: ReadonlyArray<string>
  let counter = ""

  beforeAll(async () => {
    await create(["--name", "whole"])
    digests = await sh("whole", makeFiles)
    counter = (await json<{ readonly exec_id: string }>(
      ["workspace", "exec", "whole", "--detach", "--script", "while true; do date +%s%N > /tmp/now; sleep 0.05; done"]
    )).exec_id
    await json(["daemon", "stop"])
    await list()
    running = await settled(shape)
  })

  /** It runs with its files and its programs, which go on, through a start from its disk too. */
  const isWhole = async (name = "whole") => {
    const found = await status(name)
    assert.strictEqual(found.state, "running", found.detail)
    await sh(name, "rm -f /tmp/now; until [ -s /tmp/now ]; do sleep 0.05; done")
    assert.strictEqual(await sh(name, readFiles), digests)
  }

  it.each([...pointsOf("snapshot"), ...pointsOf("take")])("%s", async (point) => {
    await killedAt(point, ["workspace", "snapshot", "create", "whole", "snap"])
    assert.deepStrictEqual(await kinds("whole"), points[point] === "after" ? { snap: "memory" } : {})
    await isWhole()
    if (points[point] === "after") {
      await json(["workspace", "reset", "whole", "--snapshot", "snap"])
      await isWhole()
      await json(["workspace", "snapshot", "delete", "whole", "snap"])
    }
    assert.strictEqual((await list()).length, 1)
    await json(["daemon", "stop"])
    await list()
    await settlesAs(shape, running)
  })

  it.each(pointsOf("snapshot-delete"))("%s", async (point) => {
    await snapshot("whole", "snap")
    await killedAt(point, ["workspace", "snapshot", "delete", "whole", "snap"])
    assert.deepStrictEqual(await kinds("whole"), {})
    await settlesAs(shape, running)
    await isWhole()
  })

  it.each([...pointsOf("fork"), ...pointsOf("take")])("%s, of a fork", async (point) => {
    await killedAt(point, ["workspace", "fork", "whole", "--name", "child", "--count", "2"])
    const names = (await list()).map(({ name }) => name)
    if (points[point] === "after") {
      for (const name of ["child-1", "child-2"]) {
        await isWhole(name)
        assert.deepStrictEqual((await logs(name)).filter(({ inherited }) => inherited).map(({ exec_id }) => exec_id), [
          counter
        ])
      }
      await json(["workspace", "delete", "child-1", "child-2"])
    } else assert.deepStrictEqual(names, ["whole"])
    await isWhole()
    await settlesAs(shape, running)
  })

  it.each(pointsOf("reset-to"))("%s", async (point) => {
    if (!("base" in await kinds("whole"))) await snapshot("whole", "base")
    await sh("whole", "echo dirt > /workspace/dirt; sync")
    const { generation } = await status("whole")
    await killedAt(point, ["workspace", "reset", "whole", "--snapshot", "base"])
    const after = points[point] === "after"
    assert.strictEqual((await status("whole")).generation, generation + (after ? 1 : 0))
    assert.strictEqual((await call(["workspace", "exec", "whole", "--", "test", "-e", "dirt"])).code, after ? 1 : 0)
    await isWhole()
    const inherited = (await logs("whole")).filter((one) => one.inherited === true && one.outcome === "running")
    if (after) assert.deepStrictEqual(inherited.map(({ exec_id }) => exec_id), [counter])
  })

  it("leaves forks that do not need what was forked", async () => {
    await fork("whole", "--name", "last")
    await json(["workspace", "delete", "whole"])
    await isWhole("last")
    await json(["workspace", "stop", "last"])
    await json(["workspace", "start", "last"])
    assert.strictEqual(await sh("last", readFiles), digests)
  })
})
