import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { toldError } from "../support/daemon/told-error.ts"
import { unmount } from "../support/files/mounts.ts"
import type { Workspace } from "../support/installation.ts"
import { installation } from "../support/installation.ts"
import { startPyro, until } from "../support/pyro-cli.ts"

const mountPoint = fs.mkdtempSync("/var/tmp/pyro-logs-")
const pyro = installation("pyro-logs-", { env: { PYRO_STATE_DIR: path.join(mountPoint, "state") } })
const { call, create, env, json, sh } = pyro

beforeAll(async () => {
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=800m,mode=0700", "tmpfs", mountPoint])
  await create(["--name", "w"])
})
afterAll(async () => {
  await pyro.close()
  await unmount(mountPoint)
  fs.rmdirSync(mountPoint)
})

const filler = path.join(mountPoint, "filler")
/** Takes all the room of the state directory's file system. */
const fill = () => {
  try {
    execFileSync("dd", ["if=/dev/zero", `of=${filler}`, "bs=64k", "oflag=append", "conv=notrunc"], { stdio: "ignore" })
  } catch { /* it ends when nothing is left */ }
  assert.strictEqual(fs.statfsSync(mountPoint).bavail, 0)
}
const free = () => fs.rmSync(filler)

interface Logs {
  readonly commands: ReadonlyArray<{
    readonly exec_id: string
    readonly outcome: string
    readonly output_bytes: number
    readonly dropped_bytes?: number
  }>
  readonly output?: string
  readonly next_cursor?: number
  readonly skipped_bytes?: number
}
const logs = (...args: ReadonlyArray<string>) => json<Logs>(["workspace", "logs", "w", ...args])
const lastId = async () => (await logs()).commands.at(-1)!.exec_id

describe("the log of one command", () => {
  const PRINTED = 3_500_000
  const whole = "0123456789 äöü ß\n".repeat(180_000)
  const printing = "i=0; while [ $i -lt 180 ]; do cat /root/thousand; i=$((i+1)); done"
  beforeAll(async () => {
    await sh("w", "i=0; while [ $i -lt 1000 ]; do echo '0123456789 äöü ß'; i=$((i+1)); done > /root/thousand")
  })

  it("logs prints all output for people and pages for programs", async () => {
    await call(["workspace", "exec", "w", "--", "sh", "-c", printing])
    const id = await lastId()
    assert.isAbove(Buffer.byteLength(whole), PRINTED)
    const printed = await call(["workspace", "logs", "w", "--exec-id", id])
    assert.strictEqual(printed.code, 0)
    assert.isTrue(printed.stdout.toString() === whole, `${printed.stdout.length} bytes`)
    assert.strictEqual(printed.stderr, "")
    const rest = await call(["workspace", "logs", "w", "--exec-id", id, "--cursor", "2100000"])
    assert.isTrue(rest.stdout.equals(Buffer.from(whole).subarray(2_100_000)), `${rest.stdout.length} bytes`)

    const some = await call(["workspace", "logs", "w", "--exec-id", id, "--max-bytes", "1000"])
    assert.isTrue(Buffer.from(whole).subarray(0, 1000).toString().startsWith(some.stdout.toString()))
    assert.match(some.stderr, /continue with --cursor (\d+)/)
    const page = await logs("--exec-id", id)
    assert.strictEqual(page.next_cursor, Buffer.byteLength(page.output!))
    assert.isAtMost(page.next_cursor!, 1_048_576)
  })

  it("logs of a running command show the output so far", async () => {
    await call(["workspace", "exec", "w", "--detach", "--", "sh", "-c", `${printing}; exec sleep 1000`])
    const id = await lastId()
    await until("all of it", async () => (await logs()).commands.at(-1)!.output_bytes === Buffer.byteLength(whole))
    const { code, stdout } = await call(["workspace", "logs", "w", "--exec-id", id])
    assert.strictEqual(code, 0)
    assert.isTrue(stdout.toString() === whole, `${stdout.length} bytes`)
    await sh("w", "pkill -f '[s]leep 1000'")
  })

  it("logs --follow ends with the command, and Ctrl-C does not end the command", async () => {
    const script = "echo one; until [ -e /dev/shm/on ]; do sleep 0.1; done; echo two; exit 3"
    await call(["workspace", "exec", "w", "--detach", "--", "sh", "-c", script])
    const id = await lastId()
    const left = startPyro(["workspace", "logs", "w", "-f"], { env })
    await until("its first line", () => left.stdoutSoFar().toString() === "one\n")
    left.child.kill("SIGINT")
    assert.strictEqual((await left.finished).signal, "SIGINT")
    assert.strictEqual((await logs()).commands.at(-1)!.outcome, "running")

    const stayed = startPyro(["workspace", "logs", "w", id.slice(0, 12), "--follow"], { env })
    await until("the output so far", () => stayed.stdoutSoFar().toString() === "one\n")
    await sh("w", "touch /dev/shm/on")
    const { code, stderr, stdout } = await stayed.finished
    assert.deepStrictEqual([code, stdout.toString(), stderr], [
      0,
      "one\ntwo\n",
      "pyro: the command ended with status 3\n"
    ])
    const ended = await call(["workspace", "logs", "w", id, "--follow", "--cursor", "4"])
    assert.deepStrictEqual([ended.code, ended.stdout.toString()], [0, "two\n"])
  })
})

describe("a command that prints while the host's disk is full", () => {
  /** Prints its lines of 64 KiB when told how many. */
  const printing =
    "mkfifo /dev/shm/go; head -c 65535 /dev/zero | tr '\\0' x > /dev/shm/line; exec 9<>/dev/shm/go; n=0; " +
    "while read -r count <&9 && [ $count -gt 0 ]; do " +
    "while [ $count -gt 0 ]; do n=$((n+1)); printf '%08d' $n; cat /dev/shm/line; echo; count=$((count-1)); done; done"
  const LINE = 65_535 + 9
  const expected = (lines: number) => {
    const hash = createHash("sha256")
    for (let n = 1; n <= lines; n++) hash.update(`${String(n).padStart(8, "0")}${"x".repeat(65_535)}\n`)
    return hash.digest("hex")
  }

  it("a command on a full host disk is heard whole, and its log reports the missing part", async () => {
    const hash = createHash("sha256")
    let bytes = 0
    const { child, finished } = startPyro(["workspace", "exec", "w", "--", "sh", "-c", printing], { env })
    child.stdout!.removeAllListeners("data").on("data", (chunk: Buffer) => {
      hash.update(chunk)
      bytes += chunk.length
    })
    const id = await (async () => {
      let found: string | undefined
      await until(
        "its start",
        async () => (found = (await logs()).commands.find((one) => one.outcome === "running")?.exec_id) !== undefined
      )
      return found!
    })()
    await until(
      "its pipe",
      async () => (await call(["workspace", "exec", "w", "--", "test", "-p", "/dev/shm/go"])).code === 0
    )
    const print = async (lines: number) => {
      const wanted = bytes + lines * LINE
      await sh("w", `echo ${lines} > /dev/shm/go`)
      await until(`${wanted} bytes heard`, () => bytes === wanted)
    }
    await print(20)
    // A guest that has something to write is stopped while there is no room for it.
    await sh("w", "sync")
    fill()
    try {
      await sh("w", "echo 400 > /dev/shm/go")
      await until("all of it heard", () => bytes === 420 * LINE)
      const told = (await logs("--exec-id", id, "--max-bytes", "1")).commands[0]!
      assert.strictEqual(told.output_bytes, 420 * LINE)
      assert.isAbove(told.dropped_bytes ?? 0, 350 * LINE)
    } finally {
      free()
    }
    await print(20)
    await sh("w", "echo 0 > /dev/shm/go")
    const { code, stderr } = await finished
    assert.deepStrictEqual([code, bytes, hash.digest("hex")], [0, 440 * LINE, expected(440)])
    const dropped = (await logs("--exec-id", id, "--max-bytes", "1")).commands[0]!.dropped_bytes!
    assert.include(stderr, `${dropped} bytes of the output are not in the log`)
    // What came before and after is there, and where it is not is told.
    const printed = await call(["workspace", "logs", "w", "--exec-id", id])
    assert.strictEqual(printed.stdout.length, 440 * LINE - dropped)
    assert.isTrue(printed.stdout.toString().startsWith("00000001x"))
    assert.include(printed.stdout.toString().slice(-21 * LINE), "00000421x")
    assert.include(printed.stderr, "bytes of the output were dropped here")
  })

  it("a command requested on a full host disk runs, or is refused and unknown afterwards", async () => {
    const before = (await logs()).commands.length + 1
    await sh("w", "sync")
    fill()
    const attempts: Array<boolean> = []
    try {
      for (let attempt = 0; attempt < 40; attempt++) {
        const { code, stderr, stdout } = await call([
          "workspace",
          "exec",
          "w",
          "--json",
          "--",
          "sh",
          "-c",
          `echo ${"y".repeat(900)}`
        ])
        attempts.push(code === 0)
        if (code === 0) {
          const result = JSON.parse(stdout.toString()) as { readonly stdout: string }
          assert.strictEqual(result.stdout.trim(), "y".repeat(900))
        } else {
          assert.strictEqual(code, 125, stderr)
          assert.strictEqual(toldError({ stdout }).code, "no_space")
        }
        if (attempts.at(-1) === false) break
      }
      assert.include(attempts, false, "the journal was never full")
      assert.strictEqual((await logs()).commands.length, before + attempts.filter((ran) => ran).length)
    } finally {
      free()
    }
    assert.strictEqual(await sh("w", "echo again"), "again")
    const { commands } = await logs()
    assert.isTrue(commands.every(({ outcome }) => outcome !== "running"), JSON.stringify(commands.at(-1)))
    // What was only in memory while the disk was full is on it now.
    await json(["daemon", "stop"])
    assert.deepStrictEqual((await logs()).commands, commands)
    assert.strictEqual((await json<Workspace>(["workspace", "status", "w"])).state, "running")
  })
})
