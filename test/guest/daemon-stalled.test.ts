import { setTimeout as wait } from "node:timers/promises"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"

/** Longer than two rounds of the pings that an RPC client would make. */
const STALLED_MS = 22_000

describe("a daemon that stands still for a while", () => {
  const pyro = installation("pyro-stalled-")
  beforeAll(() => pyro.create(["--name", "w"]))
  afterAll(pyro.close)

  it("a stalled daemon loses no command and no request", async () => {
    const running = pyro.call([
      "workspace",
      "exec",
      "w",
      "--script",
      "for i in $(seq 30); do echo $i; sleep 1; done; exit 7"
    ])
    await wait(2_000)
    const daemon = await pyro.daemonPid()
    process.kill(daemon, "SIGSTOP")
    const asked = pyro.call(["workspace", "file", "write", "w", "note", "--text", "there"])
    await wait(STALLED_MS)
    process.kill(daemon, "SIGCONT")
    const written = await asked
    assert.strictEqual(written.code, 0, written.stderr)
    assert.strictEqual(await pyro.sh("w", "cat note"), "there")
    const { code, stderr, stdout } = await running
    assert.deepStrictEqual([code, stderr], [7, ""])
    assert.strictEqual(stdout.toString(), Array.from({ length: 30 }, (_, index) => `${index + 1}\n`).join(""))
  })
})
