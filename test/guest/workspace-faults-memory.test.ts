import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { setImmediate as turn } from "node:timers/promises"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { toldError } from "../support/daemon/told-error.ts"
import { unmount } from "../support/files/mounts.ts"
import { installation } from "../support/installation.ts"

const mib = 1024 * 1024
const store = fs.mkdtempSync("/var/tmp/pyro-memory-store-")
// Members of the pool would take part of the room.
const pyro = installation("pyro-faults-memory-", { env: { PYRO_MEMORY_DIR: store, PYRO_POOL_MEMBERS: "0" } })
const { create, failure, json, list, sh, status } = pyro

const freeBytes = () => {
  const { bavail, bsize } = fs.statfsSync(store)
  return bavail * bsize
}

/** Files on the memory store that belong to somebody, by name. */
const memories = () =>
  fs.readdirSync(store, { recursive: true, encoding: "utf8" }).filter((name) => /vm-/.test(name)).sort()

const roomMib = 700
/** `mount` is done at once, and what has room stays; nothing more has any. */
const resize = (bytes: number) =>
  execFileSync("mount", ["-o", `remount,size=${Math.ceil(bytes / 4096) * 4}k`, store], { stdio: "pipe" })
const usedBytes = () => fs.statfsSync(store).blocks * fs.statfsSync(store).bsize - freeBytes()
const giveBack = () => resize(roomMib * mib)

/** The pid of a copy into this memory store that has begun since `before`, if there is one. */
const copyingSince = (before: ReadonlySet<string>) =>
  fs.readdirSync("/proc").find((pid) => {
    if (before.has(pid) || !/^\d+$/.test(pid)) return false
    try {
      const words = fs.readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0")
      return words[0]!.endsWith("/pyro-copy") && words.some((word) => word.startsWith(store))
    } catch {
      return false // it is gone already
    }
  })

/** Whether a process that was told to stop has not done so yet. */
const isWorking = (pid: string) => {
  try {
    return !/^State:\s+[TZX]/m.test(fs.readFileSync(`/proc/${pid}/status`, "latin1"))
  } catch {
    return false
  }
}

/** The store may be written meanwhile by its VMs: what is less than is used is refused. */
const leaveNoRoom = () => {
  for (let attempt = 0;; attempt++) {
    try {
      return resize(usedBytes() + 2 * mib)
    } catch (cause) {
      if (attempt === 20) throw cause
    }
  }
}

/** Whether it could still be held. */
const held = (pid: string) => {
  try {
    return process.kill(Number(pid), "SIGSTOP")
  } catch {
    return false
  }
}

/** Leaves the memory store no room while a copy into it is held, and lets that go on; whether it was held early enough. */
const fillDuringTheCopy = async (isOver: () => boolean): Promise<boolean> => {
  const [before, pids] = [usedBytes(), new Set(fs.readdirSync("/proc"))]
  while (!isOver()) {
    await turn()
    const pid = copyingSince(pids)
    if (pid === undefined) continue
    if (!held(pid)) return false
    let isEarly = false
    try {
      // What it has asked the kernel for is still written.
      while (isWorking(pid)) await turn()
      isEarly = usedBytes() < before + 80 * mib
      if (isEarly) leaveNoRoom()
    } finally {
      process.kill(Number(pid), "SIGCONT")
    }
    while (isEarly && fs.existsSync(`/proc/${pid}`)) await turn()
    giveBack()
    return isEarly
  }
  return false
}

describe("a memory store that is full", () => {
  beforeAll(async () => {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${roomMib}m,mode=0700`, "tmpfs", store])
    await create(["--name", "source", "--mem-mib", "256", "--disk-mib", "512"])
    await sh("source", "head -c 110000000 /dev/urandom > /dev/shm/held; sha256sum /dev/shm/held > /dev/shm/sum")
  })
  afterAll(async () => {
    await pyro.close()
    await unmount(store)
    fs.rmdirSync(store)
  })

  const intact = async () => {
    assert.strictEqual((await status("source")).state, "running")
    assert.include(await sh("source", "sha256sum -c /dev/shm/sum"), "OK")
    assert.deepStrictEqual((await list()).map(({ name }) => name), ["source"])
    assert.lengthOf(memories(), 1)
  }

  it("a fork is refused before any copy if the memory store is full", async () => {
    resize(usedBytes() + 100 * mib)
    try {
      const refused = await failure(["workspace", "fork", "source", "--name", "child"])
      assert.deepInclude(refused, { code: "no_space", where: "memory store" })
    } finally {
      giveBack()
    }
    await intact()
  })

  it.each([
    ["a fork", ["fork", "source", "--name", "child"]],
    ["a reset to a snapshot", ["reset", "source", "--snapshot", "before"]]
  ])("a memory store that fills up during %s fails with the reason, and the workspace goes on", async (_, words) => {
    if (words[0] === "reset") {
      // One is there if this test runs once more.
      await pyro.call(["workspace", "snapshot", "delete", "source", "before"])
      await json(["workspace", "snapshot", "create", "source", "before"])
    }
    let refused = 0
    // It may come too late once.
    for (let attempt = 0; attempt < 12 && refused === 0; attempt++) {
      let over = false
      const asked = pyro.call(["workspace", ...words, "--json"]).finally(() => (over = true))
      const wasFull = await fillDuringTheCopy(() => over)
      const { code, stdout } = await asked
      if (!wasFull) {
        assert.strictEqual(code, 0, stdout.toString())
        if (words[0] === "fork") await json(["workspace", "delete", "child"])
        continue
      }
      refused++
      assert.notStrictEqual(code, 0)
      assert.deepInclude(toldError({ stdout }), { code: "no_space", where: "memory store" })
    }
    assert.strictEqual(refused, 1, "the store was never full in the middle of the copy")
    await intact()
    await json(["workspace", "fork", "source", "--name", "child"])
    assert.include(await sh("child", "sha256sum -c /dev/shm/sum"), "OK")
    await json(["workspace", "delete", "child"])
  })

  it("an emptied memory store costs no workspace its memory, fork or snapshot", async () => {
    for (const name of fs.readdirSync(store)) fs.rmSync(`${store}/${name}`, { recursive: true })
    await json(["workspace", "fork", "source", "--name", "later"])
    assert.include(await sh("later", "sha256sum -c /dev/shm/sum"), "OK")
    await json(["workspace", "delete", "later"])
    await json(["workspace", "snapshot", "create", "source", "emptied"])
    await json(["workspace", "reset", "source", "--snapshot", "emptied"])
    assert.include(await sh("source", "sha256sum -c /dev/shm/sum"), "OK")
  })
})
