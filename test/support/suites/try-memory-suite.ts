import { execFileSync, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { installation } from "../installation.ts"
import { startPyro, until } from "../pyro-cli.ts"
import { furtherCases } from "../run/further-cases.ts"
import { proportionalMib, qemus } from "../vm/memory-sharing.ts"
import { isFirecracker } from "../vm/vmm.ts"
import { snapshots } from "../workspace/snapshots.ts"

const mib = 1024 * 1024
const usedMib = 180
const used = "/dev/shm/used"

interface Tried {
  readonly candidates: ReadonlyArray<{ readonly outcome: string; readonly tail: string; readonly memory_bytes: number }>
  readonly kept?: string
}

/** Candidates of tries on QEMU: all cases, or the common ones. */
export const tryMemorySuite = (cases: "all" | "common") => {
  const pyro = installation("pyro-try-memory-")
  const { call, create, daemonPid, env, json, sh, state } = pyro
  afterAll(pyro.close)
  const { fork, snapshot } = snapshots(pyro)
  const attempt = (...args: ReadonlyArray<string>) => json<Tried>(["try", "origin", ...args])
  const digestOf = (workspace: string) => sh(workspace, `md5sum < ${used}`)
  const more = furtherCases(cases)

  describe.skipIf(isFirecracker)("candidates of a try on QEMU", { concurrent: false }, () => {
    it("eight candidates have one memory together, which no process can change, and nothing of it is left", async () => {
      await create(["--name", "origin", "--mem-mib", "512", "--disk-mib", "512"])
      await sh("origin", `head -c ${usedMib}M /dev/urandom > ${used}`)
      const trying = startPyro([
        "try",
        "origin",
        ...Array.from({ length: 8 }, (_, at) => ["--command", `sleep 100${at}`]).flat(),
        "--max-parallel",
        "8"
      ], { env })
      await until(
        "eight candidates run",
        async () => (await qemus(pyro)).filter(({ isShared }) => isShared).length === 8
      )
      const all = await qemus(pyro)
      const [origin] = all.filter(({ isShared }) => !isShared)
      const sharing = all.filter(({ isShared }) => isShared)
      const total = sharing.reduce((sum, { pid }) => sum + proportionalMib(pid), 0)
      // Eight copies are more than 8 times what is used. Each QEMU has some 40 MiB of its own besides the guest's memory.
      assert.isBelow(total, 3 * proportionalMib(origin!.pid), "MiB")
      // QEMU has the memory open for writing. The host's root may do less than a QEMU under a guest's control.
      const memory = `/proc/${sharing[0]!.pid}/fd/5`
      assert.match(fs.readlinkSync(memory), /memfd:pyro-memory/)
      const fd = fs.openSync(memory, "r+")
      assert.throws(() => fs.writeSync(fd, "x"), /EPERM/)
      assert.throws(() => fs.ftruncateSync(fd, 0), /EPERM/)
      fs.closeSync(fd)
      assert.notStrictEqual(spawnSync("fallocate", ["--punch-hole", "--length", "4096", memory]).status, 0)
      trying.child.kill("SIGINT")
      await trying.finished
      await until("the candidates are gone", async () => (await qemus(pyro)).length === 1)
      const pid = await daemonPid()
      assert.notInclude(execFileSync("ls", ["-l", `/proc/${pid}/fd`], { encoding: "utf8" }), "pyro-memory")
    })

    it("a candidate that writes to all of the memory and gives it back leaves it as it was for the next ones", async () => {
      const digest = await digestOf("origin")
      const wreck = `head -c ${usedMib}M /dev/zero | tr '\\0' x | dd of=${used} conv=notrunc bs=1M iflag=fullblock; ` +
        // The guest reports free pages every two seconds.
        `echo gone > ${used}; echo 3 > /proc/sys/vm/drop_caches; sleep 5`
      const done = await attempt("--command", wreck, "--command", `md5sum < ${used}`, "--max-parallel", "1")
      assert.deepStrictEqual(done.candidates.map(({ outcome }) => outcome), ["passed", "passed"])
      const [wrecker, next] = done.candidates
      assert.strictEqual(next!.tail.trim(), digest)
      assert.isAbove(wrecker!.memory_bytes, usedMib * mib / 2)
      assert.isBelow(next!.memory_bytes, 64 * mib)
      assert.strictEqual(await digestOf("origin"), digest)
    })

    more(
      "a kept candidate has a memory of its own, and is captured, forked, reset and paused as any workspace",
      async () => {
        const digest = await digestOf("origin")
        const counting =
          "nohup sh -c 'n=0; while sleep 0.1; do n=$((n+1)); echo $n > /dev/shm/n; done' > /dev/null 2>&1 & echo kept > /dev/shm/kept"
        const done = await attempt("--command", counting, "--keep", "best")
        assert.isDefined(done.kept)
        assert.deepStrictEqual((await qemus(pyro)).map(({ isShared }) => isShared), [false])
        const counts = async (workspace: string) =>
          sh(
            workspace,
            "a=$(cat /dev/shm/n); until [ $(cat /dev/shm/n) -gt $a ]; do sleep 0.1; done; cat /dev/shm/kept"
          )
        const isWhole = async (workspace: string) => {
          assert.strictEqual(await counts(workspace), "kept")
          assert.strictEqual(await digestOf(workspace), digest)
        }
        await isWhole("origin")
        const { workspace } = (await qemus(pyro))[0]!
        await snapshot("origin", "one")
        const files = path.join(state, "workspaces", workspace, "snapshots", "one")
        assert.isAbove(fs.statSync(path.join(files, "mem")).blocks * 512, usedMib * mib)
        assert.isBelow(fs.statSync(path.join(files, "state")).size, mib)
        await fork("origin")
        await isWhole("origin-1")
        await call(["delete", "origin-1"])
        await sh("origin", "echo other > /dev/shm/kept")
        await json(["reset", "origin", "--snapshot", "one"])
        await isWhole("origin")
        await json(["pause", "origin"])
        await isWhole("origin")
      }
    )
  })
}
