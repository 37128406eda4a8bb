import { isDeepStrictEqual } from "node:util"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { typedTold } from "../../src/contract/rows/next-steps.ts"
import type { Told } from "../../src/contract/rows/notice.ts"
import { type Installation, installation } from "../support/installation.ts"
import { networkHost } from "../support/network/host.ts"
import { startPyro, until } from "../support/pyro-cli.ts"

interface Entry {
  readonly outcome: "allowed" | "denied" | "failed"
  readonly kind: "connection" | "datagrams" | "lookup"
  readonly host: string
  readonly port?: number
  readonly address?: string
  readonly reason?: string
  readonly remedy?: { readonly field: string; readonly rule?: string }
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
interface ExecJson {
  readonly warnings: ReadonlyArray<Told>
}

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

describe("the network of a workspace", { concurrent: false }, () => {
  it("datagrams reach an allowed host and port, and nothing else", async () => {
    await pyro.create(["--name", "udp", "--allow-host", "server.test.net:7", "--allow-host", "other.test.net:80"])
    const said = await python(
      "udp",
      `def attempt(host, port):
  one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
  one.settimeout(9)
  try:
    one.connect((host, port))
    one.send(b"x")
    return one.recv(99).decode()
  except OSError as error: return error.strerror or str(error)
print(attempt("server.test.net", 7))
print(attempt("server.test.net", 8))
print(attempt("other.test.net", 7))
for address in ("203.0.113.10", "192.168.7.1", "169.254.169.254", "198.51.100.2"): print(attempt(address, 7))`
    )
    assert.deepStrictEqual(said.trim().split("\n"), ["x", ...Array.from({ length: 6 }, () => "Connection refused")])
    const { entries, open } = await log("udp")
    assert.deepStrictEqual(open.map(({ host, port }) => [host, port]), [["server.test.net", 7]])
    const denied = entries.filter(({ kind, outcome }) => kind === "datagrams" && outcome === "denied")
    assert.lengthOf(denied, 6)
    assert.deepStrictEqual(denied[0]!.remedy, { field: "allow_hosts", rule: "server.test.net:8" })
    // A policy without the host ends the flow.
    await pyro.json(["network", "set", "udp", "--allow-host", "other.test.net:80"])
    assert.deepStrictEqual((await log("udp")).open, [])
    await pyro.json(["delete", "udp"])
  })

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
    if data:
      one.send(data)
      return one.recv(99).decode()
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
      ...Array.from({ length: 6 }, () => "Connection refused"),
      "at once"
    ])
    assert.match(await pyro.sh("a", "ping -c 1 -W 9 203.0.113.10 2>&1 || true"), /unreachable|not found/)
  })

  it("a guest without a grant reaches nothing, also with a rule of its own for the agent's table", async () => {
    // As root: RTM_NEWRULE of priority 1, every packet to table 28793.
    const attempt = `import struct
body = struct.pack("=BBBBBBBBI", 2, 0, 0, 0, 0, 0, 0, 1, 0) + struct.pack("=HHI", 8, 6, 1) + struct.pack("=HHI", 8, 15, 28793)
kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
kernel.send(struct.pack("=IHHII", 16 + len(body), 32, 0x605, 1, 0) + body)
print("rule", struct.unpack_from("=i", kernel.recv(4096), 16)[0])
for address in ("203.0.113.10", "192.168.7.1"):
  try:
    socket.create_connection((address, 80), 9)
    print("made")
  except OSError as error: print(error.strerror)`
    await pyro.create(["--name", "bare"])
    await pyro.create(["--name", "off", "--network-policy", "off"])
    for (const name of ["bare", "off"]) {
      assert.strictEqual(await python(name, attempt), "rule 0\nConnection refused\nConnection refused")
    }
    assert.deepStrictEqual((await log("bare")).entries, [])
    assert.deepStrictEqual((await log("off")).entries.map(({ outcome }) => outcome), ["denied", "denied"])
  })

  it("the log names each connection and each denial with its reason and option", async () => {
    const { entries } = await log("a")
    const found = (wanted: Partial<Entry>) =>
      entries.some((one) =>
        Object.entries(wanted).every(([key, value]) => isDeepStrictEqual(one[key as keyof Entry], value))
      )
    assert.isTrue(found({ outcome: "allowed", host: "server.test.net", port: 80, address: "203.0.113.10" }))
    assert.isTrue(
      found({
        outcome: "denied",
        kind: "lookup",
        host: "other.test.net",
        remedy: { field: "allow_hosts", rule: "other.test.net" }
      })
    )
    assert.isTrue(
      found({
        outcome: "denied",
        host: "192.168.7.1",
        port: 80,
        remedy: { field: "allow_ips", rule: "192.168.7.1:80" }
      })
    )
    const { entries: denied } = await log("a", "--denied")
    assert.isNotEmpty(denied)
    assert.isTrue(denied.every(({ outcome }) => outcome === "denied"))
  })

  it("a command that met a denial names the host and the option that would allow the host", async () => {
    const { warnings } = await pyro.json<ExecJson>(
      ["workspace", "exec", "a", "--", "sh", "-c", "curl -sS http://other.test.net/ || true"]
    )
    assert.lengthOf(warnings, 1)
    assert.match(
      typedTold(warnings[0]!),
      /denied other\.test\.net: .*If the task needs it, allow it: pyro network set a --allow-host server\.test\.net --allow-host other\.test\.net$/
    )
    const quiet = await pyro.json<ExecJson>(
      ["workspace", "exec", "a", "--", "curl", "-sS", "http://server.test.net/"]
    )
    assert.deepStrictEqual(quiet.warnings, [])
  })

  it("a command that failed at an allowed host reads why the host could not connect", async () => {
    const { code, stderr } = await pyro.call(
      ["workspace", "exec", "a", "--", "curl", "-sS", "http://server.test.net:81/"]
    )
    assert.strictEqual(code, 7)
    assert.match(stderr, /server\.test\.net:81 \(203\.0\.113\.10 refused/)
    const failed = (await log("a")).entries.find(({ port }) => port === 81)
    assert.deepInclude(failed, { outcome: "failed", host: "server.test.net", port: 81 })
    assert.match(failed?.reason ?? "", /203\.0\.113\.10 refused/)
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

describe("open connections", { concurrent: false }, () => {
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

  it("network set resets open connections that the new policy forbids", async () => {
    const held = await holdConnections("a", 2)
    assert.deepInclude(await pyro.failure(["workspace", "network", "set", "a"]), {
      code: "invalid_request",
      field: "--network-policy"
    })
    const { revoked_grants: lost, reset_count: count } = await pyro.json<
      { readonly revoked_grants: ReadonlyArray<string>; readonly reset_count: number }
    >(["workspace", "network", "set", "a", "--network-policy", "off"])
    assert.strictEqual(count, 2)
    assert.deepStrictEqual(lost, ["server.test.net"])
    await until("the resets", async () => await held.printed() === RESET)
    await pyro.json(["workspace", "network", "set", "a", "--allow-host", "server.test.net"])
  })

  it("16 MiB pass in each direction", async () => {
    assert.strictEqual(await pyro.sh("a", "curl -sS http://server.test.net/bytes/16 | wc -c"), String(16 * 1_048_576))
    const sent = await python(
      "a",
      `one = socket.create_connection(("server.test.net", 9))
one.sendall(b"\\0" * (16 << 20))
one.shutdown(socket.SHUT_WR)
print(one.makefile().read().strip())`
    )
    assert.strictEqual(sent, String(16 * 1_048_576))
  })
})

describe("the network of a run", () => {
  it("run grants hosts to one command, and names what the policy denied", async () => {
    const script = "curl -sS http://server.test.net/; exec curl -sS http://other.test.net/"
    const { code, stderr, stdout } = await pyro.call(
      ["run", "--mem-mib", "256", "--allow-host", "server.test.net", "--", "sh", "-c", script]
    )
    assert.deepStrictEqual([code, stdout.toString()], [6, "hello server.test.net\n"])
    assert.match(stderr, /denied other\.test\.net.*--allow-host other\.test\.net/)
  })

  it("a rule that cannot be read is refused with its option", async () => {
    const refused = { code: "invalid_request", field: "--allow-host" }
    assert.deepInclude(await pyro.failure(["workspace", "create", "--allow-host", "npmx"]), refused)
    const off = await pyro.failure(["workspace", "create", "--network-policy", "off", "--allow-host", "npm"])
    assert.deepInclude(off, refused)
  })
})
