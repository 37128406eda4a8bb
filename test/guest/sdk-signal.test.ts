import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { blocksOf, pages } from "../support/documents/documented.ts"
import { installation } from "../support/installation.ts"
import { until } from "../support/pyro-cli.ts"

const root = path.resolve(import.meta.dirname, "../..")
const own = installation("pyro-sdk-signal-")
afterAll(own.close)

interface Listed {
  readonly workspaces: ReadonlyArray<{ readonly running_commands: number }>
}

/** The program of docs/sdk.md that handles signals, with a command that does not end by itself. */
const program = () => {
  const { text } = pages.find(({ page }) => page === "docs/sdk.md")!
  const [found, ...others] = blocksOf(text, "ts").filter((block) => block.includes("SIGINT"))
  assert.isDefined(found)
  assert.isEmpty(others)
  return found!
    .replace("\"python3 -m unittest\"", "\"exec sleep 100000\"")
    .replace("seedPath: \".\"", "memoryMib: 256")
}

describe("a program of the SDK at Ctrl-C", () => {
  // The first boot of an installation takes longer than the wait for a command.
  beforeAll(async () => {
    const { id } = await own.create([])
    await own.json(["delete", id])
  })

  it.each(["SIGINT", "SIGTERM"] as const)("the documented program deletes its workspace after %s", async (signal) => {
    // Beneath the clone, so that "pyro" is what the examples of the clone import.
    const folder = fs.mkdtempSync(path.join(root, "dist/signal-"))
    const file = path.join(folder, "program.ts")
    fs.writeFileSync(file, program())
    const child = spawn(process.execPath, [path.join(root, "scripts/example.mjs"), file], {
      cwd: own.folder,
      env: { ...process.env, ...own.env },
      stdio: ["ignore", "ignore", "pipe"]
    })
    let stderr = ""
    child.stderr.setEncoding("utf8").on("data", (piece: string) => stderr += piece)
    const exited = new Promise<number | null>((resolve) => child.on("exit", resolve))
    try {
      await until("the command", async () => {
        const { workspaces } = await own.json<Listed>(["list"])
        return workspaces.some(({ running_commands }) => running_commands === 1)
      })
      child.kill(signal)
      assert.strictEqual(await exited, 130, stderr)
      assert.deepStrictEqual((await own.json<Listed>(["list"])).workspaces, [])
    } finally {
      child.kill("SIGKILL")
      fs.rmSync(folder, { recursive: true, force: true })
    }
  })
})
