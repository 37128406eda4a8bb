import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { installation } from "../installation.ts"
import { furtherCases } from "../run/further-cases.ts"
import { proportionalMib, qemus } from "../vm/memory-sharing.ts"
import { isFirecracker } from "../vm/vmm.ts"
import { snapshots } from "../workspace/snapshots.ts"

const mib = 1024 * 1024
const usedMib = 100
const used = "/dev/shm/used"
const idsOf = (workspaces: ReadonlyArray<{ readonly id: string }>) => workspaces.map(({ id }) => id)

interface Watched {
  readonly workspaces: ReadonlyArray<
    { readonly id: string; readonly memory_bytes: number; readonly shared_bytes: number }
  >
}

/** Forks of running workspaces on QEMU: all cases, or the common ones. */
export const forkMemorySuite = (cases: "all" | "common") => {
  const pyro = installation("pyro-fork-memory-")
  const { call, create, folder, json, sh, state } = pyro
  afterAll(pyro.close)
  const { fork, snapshot } = snapshots(pyro)
  const digestOf = (workspace: string) => sh(workspace, `md5sum < ${used}`)
  const sharing = async () =>
    Object.fromEntries((await qemus(pyro)).map(({ isShared, workspace }) => [workspace, isShared]))
  const more = furtherCases(cases)

  describe.skipIf(isFirecracker)("forks that share their memory on QEMU", { concurrent: false }, () => {
    let digest = ""
    let children: ReadonlyArray<string> = []
    const isWhole = async (workspace: string) => {
      // The program of the origin goes on.
      await sh(workspace, "a=$(cat /dev/shm/n); until [ $(cat /dev/shm/n) -gt $a ]; do sleep 0.1; done")
      assert.strictEqual(await digestOf(workspace), digest)
    }

    it("several forks have one memory together, and each what it writes", async () => {
      await create(["--name", "origin"])
      await sh("origin", `head -c ${usedMib}M /dev/urandom > ${used}`)
      await sh(
        "origin",
        "nohup sh -c 'n=0; while sleep 0.1; do n=$((n+1)); echo $n > /dev/shm/n.new; mv /dev/shm/n.new /dev/shm/n; done' > /dev/null 2>&1 &"
      )
      digest = await digestOf("origin")
      children = idsOf(await fork("origin", "--count", "3"))
      const [one, other, third] = children as [string, string, string]
      const now = await sharing()
      assert.deepStrictEqual(children.map((id) => now[id]), [true, true, true])
      const total = (await qemus(pyro)).filter(({ isShared }) => isShared)
        .reduce((sum, { pid }) => sum + proportionalMib(pid), 0)
      assert.isBelow(total, 3 * usedMib)
      await sh(one, "echo one > /dev/shm/mine")
      await sh(other, "echo other > /dev/shm/mine")
      assert.deepStrictEqual(await Promise.all([one, other].map((id) => sh(id, "cat /dev/shm/mine"))), ["one", "other"])
      assert.strictEqual(
        await sh(third, "cat /dev/shm/mine 2>&1 || true").then((text) => text.includes("No such")),
        true
      )
      const { workspaces } = await json<Watched>(["top"])
      const shown = workspaces.find(({ id }) => id === one)!
      assert.isAbove(shown.shared_bytes, shown.memory_bytes / 4)
    })

    it("they go on without the daemon, and the next one captures them", async () => {
      const [one] = children as [string]
      await json(["daemon", "stop"])
      await isWhole(one)
      assert.isTrue((await sharing())[one])
      await snapshot(one, "point")
      const files = path.join(state, "workspaces", one, "snapshots", "point")
      assert.strictEqual(fs.statSync(path.join(files, "mem")).size, 0)
      assert.isAbove(fs.statSync(path.join(files, "state")).size, usedMib * mib)
      const { snapshots: [listed] } = await json<
        { readonly snapshots: ReadonlyArray<{ readonly memory_bytes: number }> }
      >(
        ["snapshot", "list", one]
      )
      assert.isAbove(listed!.memory_bytes, usedMib * mib)
      await isWhole(one)
      const [grandchild] = idsOf(await fork(one)) as [string]
      await isWhole(grandchild)
      // Its memory was in a state, which it reads into a memory of its own.
      assert.isFalse((await sharing())[grandchild])
      await call(["delete", grandchild])
    })

    more("forks of one, and one that is reset, have a memory of their own", async () => {
      const [one] = children as [string]
      const ids = idsOf(await fork(one, "--count", "2")) as [string, string]
      for (const id of ids) await isWhole(id)
      const now = await sharing()
      assert.deepStrictEqual(ids.map((id) => now[id]), [false, false])
      await call(["delete", ...ids])
      await sh(one, `echo gone > ${used}`)
      await json(["reset", one, "--snapshot", "point"])
      await isWhole(one)
      assert.isFalse((await sharing())[one])
    })

    more("a pause moves one to a memory of its own", async () => {
      const [, other] = children as [string, string]
      await json(["pause", other])
      await isWhole(other)
      assert.isFalse((await sharing())[other])
      assert.strictEqual(await sh(other, "cat /dev/shm/mine"), "other")
    })

    more("one is saved, exported and imported, and goes on in a new workspace", async () => {
      const [, , third] = children as [string, string, string]
      assert.isTrue((await sharing())[third])
      await json(["snapshot", "save", third, "warm"])
      const file = path.join(folder, "warm.pyro")
      await json(["saved", "export", "warm", "--output", file])
      await json(["saved", "import", file, "--name", "moved"])
      await json(["create", "--from-snapshot", "moved", "--name", "again"])
      await isWhole("again")
    })

    more("forks of a snapshot share a copy of its memory", async () => {
      await snapshot("origin", "base")
      const ids = idsOf(await fork("origin", "--snapshot", "base", "--count", "2"))
      const now = await sharing()
      assert.deepStrictEqual(ids.map((id) => now[id]), [true, true])
      for (const id of ids) await isWhole(id)
    })
  })
}
