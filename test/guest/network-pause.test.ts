import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Installation, installation } from "../support/installation.ts"
import { networkHost } from "../support/network/host.ts"
import { until } from "../support/pyro-cli.ts"

let host: Awaited<ReturnType<typeof networkHost>>
let pyro: Installation
beforeAll(async () => {
  host = await networkHost()
  pyro = installation("pyro-network-pause-", { enter: host.enter })
})
afterAll(async () => {
  await pyro.close()
  await host.close()
})

/** Holds a connection to the outside, prints `made`, and then how it ended. */
const HOLD = `import socket
one = socket.create_connection(("server.test.net", 7))
one.sendall(b"GET\\n\\n")
print("made", flush=True)
try:
  while one.recv(9): pass
  print("end", flush=True)
except OSError as error: print(error.strerror, flush=True)`

const FETCH = "curl -sS http://server.test.net/"

interface Log {
  readonly open: ReadonlyArray<object>
  readonly entries: ReadonlyArray<{ readonly outcome: string; readonly host: string; readonly port?: number }>
}

describe("the network of a paused workspace", { concurrent: false }, () => {
  it("a pause resets connections to the outside, and keeps the grant and its log", async () => {
    await pyro.create(["--name", "a", "--allow-host", "server.test.net"])
    const { exec_id: id } = await pyro.json<{ readonly exec_id: string }>(
      ["workspace", "exec", "a", "--detach", "--", "python3", "-c", HOLD]
    )
    const printed = async () => (await pyro.json<{ readonly output: string }>(["workspace", "logs", "a", id])).output
    const log = () => pyro.json<Log>(["workspace", "network", "log", "a"])
    await until("the connection", async () => (await printed()).startsWith("made"))
    assert.lengthOf((await log()).open, 1)

    await pyro.json(["workspace", "pause", "a"])
    const { entries, open } = await log()
    assert.lengthOf(open, 0)
    assert.isTrue(
      entries.some(({ host, outcome, port }) => outcome === "allowed" && host === "server.test.net" && port === 7)
    )
    assert.strictEqual((await pyro.status("a")).state, "paused")

    assert.strictEqual(await pyro.sh("a", FETCH), "hello server.test.net")
    await until("the reset", async () => await printed() !== "made\n")
    assert.strictEqual(await printed(), "made\nConnection reset by peer\n")
    assert.notStrictEqual((await pyro.call(["exec", "a", "--", "curl", "-sS", "http://other.test.net/"])).code, 0)
  })

  it("a policy that is set during the pause holds after the resume", async () => {
    await pyro.json(["workspace", "pause", "a"])
    await pyro.json(["workspace", "network", "set", "a", "--network-policy", "off"])
    assert.strictEqual((await pyro.status("a")).state, "paused")
    assert.notStrictEqual((await pyro.call(["exec", "a", "--", ...FETCH.split(" ")])).code, 0)
    await pyro.json(["workspace", "pause", "a"])
    await pyro.json(["workspace", "network", "set", "a", "--allow-host", "server.test.net"])
    assert.strictEqual(await pyro.sh("a", FETCH), "hello server.test.net")
  })
})
