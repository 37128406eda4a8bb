import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { connect } from "../../../src/sdk/connect.ts"
import { installation } from "../installation.ts"

/** The signal comes while the shell starts them. */
const FORKING = "(sleep 987654 & sleep 987654; wait)"
/** The command ends with its shell; the kernel may need a moment more for the others. One that the signal missed never ends. */
const LEFT = "for _ in $(seq 100); do pgrep -x sleep >/dev/null || break; sleep 0.1; done; pgrep -cx sleep"
const AT_ONCE = 8
/** Holds the signal back for a third of the time, as a shell does while it forks, and starts a process if the signal came meanwhile. */
const HOLDING = `exec python3 -c '
import os, signal, time
TERM = {signal.SIGTERM}
print("ready", flush=True)
while True:
    signal.pthread_sigmask(signal.SIG_BLOCK, TERM)
    time.sleep(0.003)
    if TERM & signal.sigpending() and os.fork() == 0:
        os.execvp("sleep", ["sleep", "987654"])
    signal.pthread_sigmask(signal.SIG_UNBLOCK, TERM)
    time.sleep(0.006)
'`

/** Signals that come while a command starts processes, several at once, in rounds. */
export const signalStorm = (rounds: number) => {
  const own = installation("pyro-signal-")
  const before = process.env["PYRO_STATE_DIR"]
  beforeAll(() => {
    process.env["PYRO_STATE_DIR"] = own.state
  })
  afterAll(async () => {
    if (before === undefined) delete process.env["PYRO_STATE_DIR"]
    else process.env["PYRO_STATE_DIR"] = before
    await own.close()
  })

  describe("a signal to a whole command", () => {
    it("reaches the processes that the command starts at that moment", async () => {
      await using pyro = connect()
      await using workspace = await pyro.create({ memoryMib: 256, diskMib: 512 })
      for (let round = 0; round < rounds; round++) {
        await Promise.all(Array.from({ length: AT_ONCE }, async () => {
          const command = await workspace.spawn(FORKING)
          await command.kill()
          assert.strictEqual((await command.wait()).status, 143)
        }))
        assert.strictEqual((await workspace.exec(LEFT)).stdout.trim(), "0", `round ${round}`)
      }
    })

    it("reaches the processes of one that holds the signal back while it starts them", async () => {
      await using pyro = connect()
      await using workspace = await pyro.create({ memoryMib: 256, diskMib: 512 })
      await Promise.all(Array.from({ length: AT_ONCE }, async () => {
        const command = await workspace.spawn(HOLDING)
        for await (const piece of command.stdout) if (Buffer.from(piece).includes("ready")) break
        await command.kill()
        assert.strictEqual((await command.wait()).status, 143)
      }))
      assert.strictEqual((await workspace.exec(LEFT)).stdout.trim(), "0")
    })
  })
}
