import { describe, expect, it } from "@effect/vitest"
import { build } from "esbuild"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { descendants, proportionalMib, residentMib, runProgram } from "../../../bench/host-process.ts"
import { withLogs } from "../../../bench/kept-logs.ts"
import { untilTrue } from "../../support/until.ts"

/** Enters a room, starts a process that would outlive its parent in it, and prints both. */
const program = (script: string) => `
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import { enterRoom } from "./bench/room.ts"
const room = enterRoom()
fs.mkdirSync(room.disk + "/vm")
const child = spawn("bash", ["-c", ${
  JSON.stringify(script)
}, room.disk], { cwd: room.disk + "/vm", detached: true, stdio: "ignore" })
console.log(JSON.stringify({ disk: room.disk, memory: room.memory, child: child.pid }))
setInterval(() => {}, 1000)
`

const inRoom = async (script = "sleep 60; true") => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-room-"))
  const outfile = path.join(folder, "program.mjs")
  const resolveDir = path.join(import.meta.dirname, "../../..")
  await build({
    stdin: { contents: program(script), loader: "ts", resolveDir },
    bundle: true,
    platform: "node",
    format: "esm",
    outfile
  })
  const started = spawn(process.execPath, [outfile], { stdio: ["ignore", "pipe", "pipe"] })
  const line = await new Promise<string>((resolve) => started.stdout.setEncoding("utf8").once("data", resolve))
  fs.rmSync(folder, { recursive: true })
  return { started, ...JSON.parse(line) as { readonly disk: string; readonly memory: string; readonly child: number } }
}

const isRunning = (pid: number) => {
  try {
    // A process that has ended and was not waited for yet has no working directory left.
    return fs.readlinkSync(`/proc/${pid}/cwd`) !== ""
  } catch {
    return false
  }
}

describe("a room", () => {
  it.each(["SIGINT", "SIGTERM", "SIGKILL"] as const)(
    "the bench's temporary room is empty and removed after %s",
    async (signal) => {
      const { child, disk, memory, started } = await inRoom()
      expect([fs.existsSync(disk), fs.existsSync(memory), isRunning(child)]).toEqual([true, true, true])
      started.kill(signal)
      await untilTrue(() => !fs.existsSync(disk) && !fs.existsSync(memory) && !isRunning(child))
    }
  )

  it.each(["SIGINT", "SIGTERM"] as const)(
    "the bench ends with its own status and no output, although another process writes to its room, after %s",
    async (signal) => {
      const { disk, memory, started } = await inRoom(
        "for (;;) { mkdir -p \"$0/vm/$RANDOM$$\" 2>/dev/null; : > \"$0/vm/x\"; }"
      )
      let said = ""
      started.stderr.setEncoding("utf8").on("data", (text: string) => said += text)
      const ended = new Promise((resolve) => started.once("close", resolve))
      started.kill(signal)
      expect([await ended, said]).toEqual([signal === "SIGINT" ? 130 : 143, ""])
      await untilTrue(() => !fs.existsSync(disk) && !fs.existsSync(memory))
    }
  )
})

describe("the log of a row that failed", () => {
  it("the log of a failed row is kept and named in the error", async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-logs-"))
    try {
      fs.mkdirSync(path.join(folder, "room/state/daemon"), { recursive: true })
      fs.writeFileSync(path.join(folder, "room/state/daemon/log"), "why\n")
      const failed = withLogs(path.join(folder, "room"), "a row", folder, Promise.reject(new Error("it broke")))
      await expect(failed).rejects.toThrow(/^it broke \(the daemon's log: .*pyro-bench-log-a_row-/)
      fs.rmSync(path.join(folder, "room"), { recursive: true })
      const [kept = ""] = fs.readdirSync(folder)
      expect(fs.readFileSync(path.join(folder, kept, "state_daemon_log"), "utf8")).toBe("why\n")
      const without = withLogs(folder, "row", folder, Promise.reject(new Error("it broke")))
      await expect(without).rejects.toThrow(/^it broke$/)
    } finally {
      fs.rmSync(folder, { recursive: true })
    }
  })
})

describe("host processes", () => {
  it("the bench finds a process's descendants and their memory", async () => {
    const child = spawn("sh", ["-c", "sh -c 'sleep 60; true'; true"], { stdio: "ignore" })
    try {
      await untilTrue(() => descendants(child.pid ?? 0).length === 2)
      const family = descendants(child.pid ?? 0)
      expect(descendants(process.pid)).toEqual(expect.arrayContaining([child.pid, ...family]))
      expect(proportionalMib(family)).toBeGreaterThan(0.05)
      expect(residentMib(child.pid ?? 0)).toBeGreaterThan(0.05)
      for (const pid of family) process.kill(pid, "SIGKILL")
    } finally {
      child.kill("SIGKILL")
    }
  })

  it("runProgram reports the output of a failed program", async () => {
    await expect(runProgram(["sh", "-c", "echo why >&2; exit 3"])).rejects.toThrow(/ended with 3: why/)
    expect((await runProgram(["sh", "-c", "echo out; exit 3"], 3)).stdout).toBe("out\n")
  })
})
