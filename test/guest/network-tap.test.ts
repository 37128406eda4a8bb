import { homedir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { processName } from "../../src/lib/vm/model/record.ts"
import { processesWithArgument } from "../../src/system/processes/identity.ts"
import { type Installation, installation } from "../support/installation.ts"
import { networkHost } from "../support/network/host.ts"
import { settlesAs } from "../support/settled.ts"

// A workspace with a network device, on a host in a namespace of its own.

/** Attempts of a program in the guest. Each prints what it got. */
const PROGRAM = `
import errno, os, socket, struct, sys
def udp(host):
  family, kind, protocol, _, address = socket.getaddrinfo(host, 7, 0, socket.SOCK_DGRAM)[0]
  s = socket.socket(family, kind, protocol); s.settimeout(5)
  s.connect(address); s.send(b"hello"); return s.recv(100).decode()
def checksum(data):
  total = sum(struct.unpack("!%dH" % (len(data) // 2), data)); total = (total >> 16) + (total & 65535)
  return ~(total + (total >> 16)) & 65535
def ping(host):
  s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP); s.settimeout(5); s.connect((host, 0))
  body = struct.pack("!HH", os.getpid() & 65535, 1) + b"pyropyro"
  s.send(struct.pack("!BBH", 8, 0, checksum(struct.pack("!BBH", 8, 0, 0) + body)) + body)
  return "reply" if s.recv(200)[20] == 0 else "unreachable"
def ping6(host):
  s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6); s.settimeout(5); s.connect((host, 0))
  s.send(struct.pack("!BBHHH", 128, 0, 0, os.getpid() & 65535, 1) + b"pyropyro")
  return "reply" if s.recv(200)[0] == 129 else "unreachable"
def tcp(host):
  s = socket.create_connection((host, 7), 5); s.sendall(b"hello"); return s.recv(100).decode()
for kind, host in (word.split("=") for word in sys.argv[1:]):
  try: print(kind, host, globals()[kind](host))
  except OSError as error: print(kind, host, errno.errorcode.get(error.errno, type(error).__name__))
`

let host: Awaited<ReturnType<typeof networkHost>>
let pyro: Installation
beforeAll(async () => {
  host = await networkHost(undefined, undefined, "dual")
  const PYRO_CACHE_DIR = process.env["PYRO_CACHE_DIR"] ?? join(homedir(), ".cache", "pyro")
  pyro = installation("pyro-tap-", { enter: host.enter, env: { PYRO_CACHE_DIR } })
})
afterAll(async () => {
  await pyro.close()
  await host.close()
})

const attempt = async (name: string, ...attempts: ReadonlyArray<string>) => {
  const printed = await pyro.sh(name, `python3 - ${attempts.join(" ")} <<'EOF'\n${PROGRAM}\nEOF`)
  return printed.split("\n").map((line) => line.split(" ").at(-1))
}

describe("a workspace with a network device", { concurrent: false }, () => {
  it("UDP, ping and TCP reach allowed names, and nothing else", async () => {
    await pyro.create(["--name", "a", "--network-driver", "tap", "--allow-host", "server.test.net"])
    assert.deepStrictEqual(
      await attempt(
        "a",
        "udp=server.test.net",
        "ping=server.test.net",
        "tcp=server.test.net",
        "udp=other.test.net",
        "udp=192.168.7.1",
        "ping=198.51.100.2",
        "tcp=169.254.169.254"
      ),
      ["hello", "reply", "hello", "gaierror", "EHOSTUNREACH", "EHOSTUNREACH", "ECONNREFUSED"]
    )
    const { entries } = await pyro.json<{
      readonly entries: ReadonlyArray<{ readonly host: string; readonly port?: number }>
    }>(["workspace", "network", "log", "a", "--denied"])
    assert.sameMembers(entries.map(({ host, port }) => port === undefined ? host : `${host}:${port}`), [
      "other.test.net",
      "192.168.7.1:7",
      "198.51.100.2",
      "169.254.169.254:7"
    ])
  })

  it("IPv6 reaches allowed names, and nothing else", async () => {
    await pyro.json([
      "workspace",
      "network",
      "set",
      "a",
      "--allow-host",
      "server.test.net",
      "--allow-host",
      "six.test.net"
    ])
    assert.deepStrictEqual(
      await attempt(
        "a",
        ...[
          "udp=six.test.net",
          "ping6=six.test.net",
          "tcp=six.test.net",
          "tcp=2001:db8::2",
          "udp=fd00:7::1",
          "tcp=lan6.test.net"
        ]
      ),
      ["hello", "reply", "hello", "ECONNREFUSED", "EACCES", "gaierror"]
    )
  })

  it("start, reset, a snapshot and a fork have the device, under the policy in force", async () => {
    const all = ["udp=server.test.net", "ping=server.test.net", "udp=six.test.net"]
    await pyro.step("stop", "a")
    await pyro.step("start", "a")
    assert.deepStrictEqual(await attempt("a", ...all), ["hello", "reply", "hello"])
    await pyro.json(["workspace", "snapshot", "create", "a", "s"])
    await pyro.json(["workspace", "fork", "a", "--name", "b"])
    assert.deepStrictEqual(await attempt("b", ...all), ["hello", "reply", "hello"])
    await pyro.json(["workspace", "reset", "a", "--snapshot", "s"])
    assert.deepStrictEqual(await attempt("a", ...all), ["hello", "reply", "hello"])
    await pyro.step("reset", "a")
    assert.deepStrictEqual(await attempt("a", ...all), ["hello", "reply", "hello"])
    await pyro.json(["workspace", "network", "set", "a", "--network-policy", "off"])
    assert.deepStrictEqual(await attempt("a", ...all), ["gaierror", "gaierror", "gaierror"])
    assert.deepStrictEqual(await attempt("b", ...all), ["hello", "reply", "hello"])
  })

  it("a killed daemon leaves the microVM alone, the next daemon connects its device, and a deletion leaves no process", async () => {
    const { vms } = await pyro.daemon()
    const tags = vms.map(({ id }) => processName(id))
    assert.isNotEmpty(tags)
    process.kill(await pyro.daemonPid(), "SIGKILL")
    assert.deepStrictEqual(await attempt("b", "udp=server.test.net", "tcp=192.168.7.1"), ["hello", "ECONNREFUSED"])
    for (const name of ["a", "b"]) await pyro.json(["workspace", "delete", name])
    await settlesAs(() => processesWithArgument(...tags).length, 0)
  })

  it("secrets of hosts are refused, and the status names the driver", async () => {
    const secret = [
      "--secret",
      "T=long-enough",
      "--secret-http",
      "T@server.test.net",
      "--allow-host",
      "server.test.net"
    ]
    assert.deepInclude(await pyro.failure(["workspace", "create", "--network-driver", "tap", ...secret]), {
      code: "invalid_request",
      field: "--secret-http"
    })
    const { workspace } = await pyro.json<{ readonly workspace: { readonly network_driver?: string } }>(
      ["workspace", "create", "--mem-mib", "256", "--disk-mib", "512", "--network-driver", "tap"]
    )
    assert.strictEqual(workspace.network_driver, "tap")
  })
})
