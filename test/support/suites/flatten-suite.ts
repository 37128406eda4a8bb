import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../installation.ts"
import { points } from "../lifecycle/fault-points.ts"
import { until } from "../pyro-cli.ts"
import { snapshots } from "../workspace/snapshots.ts"
import { makeIdle } from "../workspace/workspace-activity.ts"

const flattening = { env: { PYRO_FLATTEN_AT: "3" } }

/** Long chains of layers are merged, also by daemons that are killed at points of it. `stopped` merges under a stopped workspace, too. */
export const flattenSuite = (killedAt: ReadonlyArray<string>, { stopped }: { readonly stopped: boolean }) => {
  const pyro = installation("pyro-flatten-")
  const { call, create, daemon, folder, json, sh, state, status, step } = pyro
  const { fork, snapshot } = snapshots(pyro)
  afterAll(pyro.close)

  /** The folder of the workspace's disk, and its layers by name, the one that is written included. */
  const disk = async () => {
    const directory = path.join(state, "workspaces", (await status("w")).id)
    const record = JSON.parse(fs.readFileSync(path.join(directory, "record.json"), "utf8")) as {
      readonly disk: number
      readonly vm?: string
    }
    const place = path.join(directory, `disk-${record.disk}`)
    const layers = fs.readdirSync(place).filter((name) => name.endsWith(".qcow2")).sort()
    return { directory, record, place, layers }
  }

  /** SHA-256 of all that a guest would read of the disk, each layer opened over the one before. */
  const wholeDisk = async () => {
    const { layers, place } = await disk()
    const file = (filename: string) => ({ driver: "file", filename: path.join(place, filename) })
    const chain = layers.reduce<unknown>(
      (backing, layer) => ({ driver: "qcow2", file: file(layer), backing }),
      { driver: "raw", file: file("seed.ext4") }
    )
    const raw = path.join(folder, "whole.raw")
    execFileSync("qemu-img", ["convert", "-U", "-O", "raw", `json:${JSON.stringify(chain)}`, raw])
    const digest = createHash("sha256").update(fs.readFileSync(raw)).digest("hex")
    fs.rmSync(raw)
    return digest
  }

  const write = (number: number) =>
    sh("w", `head -c 3000000 /dev/urandom > f${number}; rm -f f${number - 2}; cp /bin/ls /usr/local/${number}; sync`)

  const files = "sync; echo 3 > /proc/sys/vm/drop_caches; find /workspace /usr/local -type f | sort | xargs sha256sum"

  /** Stops the daemon; the next one finds the workspace idle. */
  const idle = async () => {
    const { directory } = await disk()
    await json(["daemon", "stop"])
    makeIdle(directory)
  }

  /** Goes over to a daemon that merges chains of three layers, and waits until it did. */
  const flattened = async (fewerThan: number) => {
    await idle()
    await json(["workspace", "list"], flattening)
    await until("the layers are merged", async () => (await disk()).layers.length < fewerThan, 120_000)
  }

  describe("a long chain of layers", { concurrent: false }, () => {
    let sums = ""
    beforeAll(async () => {
      const seed = path.join(folder, "seed")
      fs.mkdirSync(seed)
      fs.writeFileSync(path.join(seed, "seeded"), "x".repeat(1_000_000))
      await create(["--name", "w", "--seed-path", seed, "--mem-mib", "256", "--disk-mib", "256"])
      for (const number of [1, 2, 3]) {
        await write(number)
        await snapshot("w", `s${number}`)
      }
      sums = await sh("w", files)
    })

    it.each(killedAt)("a chain of layers is whole when the daemon is killed at %s", async (point) => {
      await idle()
      await call(["workspace", "list"], { env: { ...flattening.env, PYRO_FAULT: point } })
      await until(`the end at ${point}`, async () => !(await daemon()).running, 120_000)
      assert.strictEqual((await status("w")).state, "running")
      const { directory, layers, place } = await disk()
      assert.lengthOf(layers, points[point] === "after" ? 2 : 4)
      assert.deepStrictEqual(fs.readdirSync(directory).filter((name) => /^disk-|^compared/.test(name)), [
        path.basename(place)
      ])
      assert.strictEqual(await sh("w", files), sums)
    })

    it("merging layers under a running workspace changes no content of it, its snapshots and its forks", async () => {
      // The VM of the last crash has the old layers still.
      await step("stop", "w")
      await step("start", "w")
      assert.strictEqual(await sh("w", files), sums)
      for (const number of [4, 5]) {
        await write(number)
        await snapshot("w", `s${number}`)
      }
      await write(6)
      sums = await sh("w", files)
      await flattened(4)
      const { layers, record } = await disk()
      const vm = path.join(state, "vms", record.vm!, "record.json")
      await until("QEMU reads the merged layer", () => {
        const { disks } = JSON.parse(fs.readFileSync(vm, "utf8")) as { disks: { disks: { overlays: Array<string> } } }
        return disks.disks.overlays.length === layers.length
      })
      assert.strictEqual(await sh("w", files), sums)
      await snapshot("w", "s6")
      for (const name of ["s2", "s6"]) {
        await fork("w", "--snapshot", name, "--name", name)
        const found = await sh(name, files)
        if (name === "s6") assert.strictEqual(found, sums)
        else assert.include(found, "/workspace/f2")
        await json(["workspace", "delete", name])
      }
      await step("stop", "w")
      await step("start", "w")
      assert.strictEqual(await sh("w", files), sums)
    })

    const alsoStopped = (title: string, work: () => Promise<void>) => {
      if (stopped) it(title, work)
    }
    alsoStopped("merging layers under a stopped workspace changes no byte of the disk", async () => {
      await json(["daemon", "stop"])
      await step("stop", "w")
      for (const name of ["d1", "d2", "d3"]) await snapshot("w", name)
      for (const name of ["s1", "s2", "s3", "s4", "s5", "s6"]) {
        await json(["workspace", "snapshot", "delete", "w", name])
      }
      const before = await wholeDisk()
      const { layers } = await disk()
      await flattened(layers.length)
      assert.strictEqual(await wholeDisk(), before)
      await step("start", "w")
      assert.strictEqual(await sh("w", files), sums)
    })
  })
}
