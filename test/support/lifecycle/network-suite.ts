import { spawn } from "node:child_process"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { networkHost } from "../network/host.ts"
import { until } from "../pyro-cli.ts"
import type { LifecycleDriver } from "./lifecycle-suite.ts"
import { FETCH, hold, LOCAL_SERVICE } from "./network-programs.ts"
import { operations } from "./operations.ts"
import type { WorkspacesClient } from "./workspaces-client.ts"

interface Entry {
  readonly outcome: string
  readonly kind: string
  readonly host: string
  readonly port?: number
  readonly address?: string
  readonly reason?: string
  readonly remedy?: { readonly field: string; readonly rule?: string }
  readonly once?: boolean
}

interface Log {
  readonly entries: ReadonlyArray<Entry>
  readonly open: ReadonlyArray<{ readonly host: string }>
}

const LOCAL = "host.pyro.internal"
const SERVER = "server.test.net"
const RESET = "made\nConnection reset by peer"
const UNKNOWN = "Name or service not known"

/** The network of workspaces, whatever the VMM. */
export const networkSuite = (name: string, driver: LifecycleDriver) => {
  let host: Awaited<ReturnType<typeof networkHost>>
  let client: WorkspacesClient
  beforeAll(async () => {
    host = await networkHost()
    client = await driver.open({ enter: host.enter })
  })
  afterAll(async () => {
    await driver.close(client)
    await host.close()
  })

  const { call, remove, sh, startProgram, status } = operations(() => client)
  const python = (workspace: string, script: string) => sh(workspace, `python3 - <<'END'\n${FETCH}\n${script}\nEND`)
  const fetch = (workspace: string, target = SERVER) => python(workspace, `print(fetch("${target}"))`)
  const set = (workspace: string, policy: object) =>
    call<{ readonly revokedGrants: ReadonlyArray<string>; readonly resetCount: number }>("network-set", {
      workspace,
      ...policy
    })
  const log = (workspace: string, denied = false) => call<Log>("network-log", { workspace, denied, limit: 1000 })
  const isOpen = async (workspace: string, count: number) => (await log(workspace)).open.length === count
  let lastFile = 0
  /** Starts a program that has connections, and reads what it says. */
  const holding = async (workspace: string, count: number, to = SERVER) => {
    const file = `/run/held-${lastFile += 1}`
    await startProgram(workspace, `python3 - <<'END'\n${hold(file, count, to)}\nEND`)
    const said = (where = workspace) => sh(where, `cat ${file}`)
    await until(`${count} connections of ${workspace}`, async () => await said().catch(() => "") === "made")
    return said
  }

  describe(`the network of a workspace over ${name}`, { concurrent: false }, () => {
    it("a workspace with a list of hosts reaches these hosts only, and the log has each attempt", async () => {
      await call("create", { name: "a", memory_mib: 256, disk_mib: 512, allow_hosts: [SERVER] })
      assert.strictEqual(await fetch("a"), `hello ${SERVER}`)
      assert.deepStrictEqual(
        (await python(
          "a",
          `for host in ("other.test.net", "203.0.113.10", "192.168.7.1", "169.254.169.254", "198.51.100.2", "10.0.0.5"): print(fetch(host))`
        )).split("\n"),
        [UNKNOWN, ...Array.from({ length: 5 }, () => "Connection refused")]
      )
      const { entries } = await log("a")
      const found = ({ address, host, kind, outcome, remedy }: Entry) => [outcome, kind, host, address ?? remedy]
      assert.deepStrictEqual(entries.map(found), [
        ["allowed", "connection", SERVER, "203.0.113.10"],
        ["denied", "lookup", "other.test.net", { field: "allow_hosts", rule: "other.test.net" }],
        ...["203.0.113.10", "192.168.7.1", "169.254.169.254", "198.51.100.2", "10.0.0.5"].map((
          address
        ) => ["denied", "connection", address, { field: "allow_ips", rule: `${address}:80` }])
      ])
    })

    it("odd forms of addresses reach nothing", async () => {
      const forms = ["0x7f.1", "127.2", "2130706434", "0177.0.0.1", "0xcb00710a"]
      const said = await python("a", `for host in ${JSON.stringify(forms)}: print(fetch(host, 7, "x"))`)
      // Libraries read most forms as addresses: of the guest's own loopback, or of an address that no rule names.
      for (const line of said.split("\n")) assert.include(["Connection refused", UNKNOWN], line)
      assert.isTrue((await log("a")).open.length === 0)
    })

    it("a guest's own resolver gets the answers of pyro, and DNS over HTTPS is refused", async () => {
      const said = await python(
        "a",
        `def ask(name):
  one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
  one.settimeout(20)
  question = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\\0\\0\\1\\0\\1"
  one.sendto(b"\\x12\\x34\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0" + question, ("8.8.8.8", 53))
  return one.recv(512)[3] & 15
print(ask("${SERVER}"), ask("other.test.net"), fetch("1.1.1.1", 443, "x"))`
      )
      assert.strictEqual(said, "0 3 Connection refused")
    })

    it("a request for another host on an allowed connection is denied", async () => {
      const request = "GET / HTTP/1.1\\r\\nHost: other.test.net\\r\\n\\r\\n"
      assert.strictEqual(await python("a", `print(fetch("${SERVER}", 80, "${request}"))`), "Connection reset by peer")
      assert.match((await log("a", true)).entries.at(-1)?.reason ?? "", /HTTP Host is "other\.test\.net"/)
    })

    it("a denied host cannot be reached by another name of its address", async () => {
      const bySni = `import ssl
one = socket.create_connection(("${SERVER}", 80), 20)
try: ssl._create_unverified_context().wrap_socket(one, server_hostname="other.test.net")
except OSError as error: print(error.strerror)`
      const byHost = `print(fetch("${SERVER}", 80, "GET / HTTP/1.1\\r\\nHost: other.test.net\\r\\n\\r\\n"))`
      await set("a", { network_policy: "egress" })
      assert.include(await python("a", byHost), "hello")
      await set("a", { network_policy: "egress", deny_hosts: ["other.test.net"] })
      assert.strictEqual(await fetch("a"), `hello ${SERVER}`)
      for (const script of [byHost, bySni]) assert.strictEqual(await python("a", script), "Connection reset by peer")
      const reasons = (await log("a", true)).entries.slice(-2).map(({ reason }) => reason)
      const suffix = `is "other.test.net", and the connection is to ${SERVER}`
      assert.deepStrictEqual(reasons, [`the HTTP Host ${suffix}`, `the TLS server name (SNI) ${suffix}`])
    })

    it("a name of a private address needs a rule for the address", async () => {
      await set("a", { allow_hosts: ["lan.test.net"] })
      assert.strictEqual(await fetch("a", "lan.test.net"), "Connection refused")
      assert.match((await log("a", true)).entries.at(-1)?.reason ?? "", /192\.168\.7\.1 is a private address/)
      await set("a", { allow_hosts: ["lan.test.net"], allow_ips: ["192.168.7.1:80"] })
      assert.strictEqual(await fetch("a", "lan.test.net"), "hello lan.test.net")
    })

    it("a service of the host's loopback is in reach by its name and its granted port alone", async () => {
      const [program, ...words] = [...host.enter, "python3", "-u", "-c", LOCAL_SERVICE]
      const service = spawn(program!, words, { stdio: ["ignore", "pipe", "inherit"] })
      try {
        const port = Number(await new Promise((resolve) => service.stdout.once("data", resolve)))
        const ask = (at: number, name = LOCAL) =>
          python("a", `print(fetch("${LOCAL}", ${at}, "GET / HTTP/1.1\\r\\nHost: ${name}\\r\\n\\r\\n"))`)
        for (const allowed of [["*"], ["*.pyro.internal", "*.internal"], [SERVER]]) {
          await set("a", { allow_hosts: allowed })
          assert.strictEqual(await ask(port), UNKNOWN, allowed.join())
        }
        await set("a", { network_policy: "egress" })
        assert.strictEqual(await ask(port), UNKNOWN)
        await set("a", { allow_hosts: [`${LOCAL}:${port}`] })
        assert.strictEqual(await ask(port), "a local service")
        assert.strictEqual(await ask(port, "localhost"), "a local service")
        assert.strictEqual(await ask(port - 1), "Connection refused")
        const { reason, remedy } = (await log("a", true)).entries.at(-1)!
        assert.deepStrictEqual([reason, remedy], [
          `${LOCAL} is this host, and no rule allows the port`,
          { field: "allow_hosts", rule: `${LOCAL}:${port - 1}` }
        ])
      } finally {
        service.kill("SIGKILL")
      }
    })

    it("a guest whose root removes the steering has no network until the policy is set anew", async () => {
      await set("a", { allow_hosts: [SERVER] })
      const said = await holding("a", 1)
      await sh(
        "a",
        "for family in -4 -6; do for rule in 40000 40001 40002; do /usr/sbin/ip $family rule delete pref $rule || true; done; done"
      )
      assert.strictEqual(await fetch("a", "203.0.113.10"), "Network is unreachable")
      assert.strictEqual(await sh("a", "echo here"), "here")
      await set("a", { network_policy: "off" })
      await until("the reset", async () => await said() === RESET)
      await set("a", { allow_hosts: [SERVER] })
      assert.strictEqual(await fetch("a"), `hello ${SERVER}`)
    })

    it("a narrower policy resets the connections that it forbids, and no other", async () => {
      await set("a", { allow_hosts: [SERVER], allow_ips: ["203.0.113.10"] })
      const byName = await holding("a", 3)
      const byAddress = await holding("a", 1, "203.0.113.10")
      assert.strictEqual((await set("a", { allow_ips: ["203.0.113.10:7"] })).resetCount, 3)
      await until("the resets", async () => await byName() === RESET)
      assert.strictEqual(await byAddress(), "made")
      assert.isTrue(await isOpen("a", 1))
      await set("a", { network_policy: "off" })
      await until("the last reset", async () => await byAddress() === RESET)
      assert.strictEqual(await fetch("a", "203.0.113.10"), "Connection refused")
    })

    it("a denied host alone is added to the policy, and a guest without a network stays without", async () => {
      assert.match(await set("a", { deny_hosts: [SERVER] }).then(() => "set", String), /needs a network/)
      await set("a", { allow_hosts: [SERVER, "other.test.net"] })
      assert.deepStrictEqual((await set("a", { deny_hosts: ["other.test.net"] })).revokedGrants, ["other.test.net"])
      assert.deepStrictEqual([await fetch("a"), await fetch("a", "other.test.net")], [`hello ${SERVER}`, UNKNOWN])
      await set("a", { network_policy: "off" })
    })

    it("a guest without a network is refused everything, and each attempt is in the log", async () => {
      const attempts = async (workspace: string) => {
        const before = (await log(workspace)).entries.length
        assert.strictEqual(await fetch(workspace), UNKNOWN)
        assert.strictEqual(await fetch(workspace, "203.0.113.10"), "Connection refused")
        return (await log(workspace)).entries.slice(before).map((
          { host, kind, outcome, reason }
        ) => [outcome, kind, host, reason])
      }
      const reason = "the network policy is off"
      const denied = [["denied", "lookup", SERVER, reason], ["denied", "connection", "203.0.113.10", reason]]
      assert.deepStrictEqual(await attempts("a"), denied)
      await call("create", { name: "watched", memory_mib: 256, disk_mib: 512, network_policy: "off" })
      assert.deepStrictEqual(await attempts("watched"), denied)
      await call("stop", { workspace: "watched" })
      await call("start", { workspace: "watched" })
      assert.deepStrictEqual(await attempts("watched"), denied)
      await remove("watched")
    })

    it("a host that is allowed once gets one connection, which the log shows, and the policy stays", async () => {
      await set("a", { allow_hosts: ["other.test.net"] })
      assert.strictEqual(await fetch("a"), UNKNOWN)
      await set("a", { allow_once: [`${SERVER}:80`] })
      assert.deepStrictEqual((await status("a")).network?.allowOnce, [`${SERVER}:80`])
      assert.deepStrictEqual([await fetch("a"), await fetch("a")], [`hello ${SERVER}`, UNKNOWN])
      const { allowHosts, allowOnce } = (await status("a")).network!
      assert.deepStrictEqual([allowHosts, allowOnce], [["other.test.net"], undefined])
      const used = (await log("a")).entries.filter(({ once }) => once)
      assert.deepStrictEqual(used.map(({ host, outcome }) => [host, outcome]), [[SERVER, "allowed"]])
    })

    it("of two connections at once, one uses the permission, and another name on it is denied", async () => {
      await set("a", { network_policy: "off" })
      await set("a", { allow_once: [SERVER] })
      const both = `from concurrent.futures import ThreadPoolExecutor
address = socket.gethostbyname("${SERVER}")
def one(_):
  try: return socket.create_connection((address, 80), 20)
  except OSError as error: return None
print(sum(made is not None for made in ThreadPoolExecutor(2).map(one, range(2))))`
      assert.strictEqual(await python("a", both), "1")
      await set("a", { allow_once: [SERVER] })
      const request = "GET / HTTP/1.1\\r\\nHost: other.test.net\\r\\n\\r\\n"
      assert.strictEqual(await python("a", `print(fetch("${SERVER}", 80, "${request}"))`), "Connection reset by peer")
    })

    it("a permission ends with the policy off and with a stop, and so does its connection", async () => {
      await set("a", { allow_hosts: ["other.test.net"] })
      await set("a", { allow_once: [`${SERVER}:7`] })
      const held = await holding("a", 1)
      await set("a", { allow_hosts: ["third.test.net"] })
      assert.strictEqual(await held(), "made")
      await set("a", { allow_once: [SERVER] })
      await set("a", { network_policy: "off" })
      await until("the reset", async () => await held() === RESET)
      assert.strictEqual(await fetch("a"), UNKNOWN)
      await set("a", { allow_once: [SERVER] })
      await call("stop", { workspace: "a" })
      assert.match(await set("a", { allow_once: [SERVER] }).then(() => "set", String), /needs a workspace that runs/)
      await call("start", { workspace: "a" })
      assert.strictEqual(await fetch("a"), UNKNOWN)
    })

    it("a guest that never had a network gets one connection", async () => {
      await call("create", { name: "none", memory_mib: 256, disk_mib: 512 })
      await set("none", { allow_once: [SERVER] })
      assert.deepStrictEqual([await fetch("none"), await fetch("none")], [`hello ${SERVER}`, UNKNOWN])
      await remove("none")
    })

    it("a policy stays through stop and start, and holds in forks", async () => {
      await set("a", { allow_hosts: [SERVER] })
      await call("stop", { workspace: "a" })
      await call("start", { workspace: "a" })
      assert.strictEqual(await fetch("a"), `hello ${SERVER}`)
      await call("fork", { workspace: "a", name: "b" })
      assert.strictEqual(await fetch("b"), `hello ${SERVER}`)
      assert.strictEqual(await fetch("b", "other.test.net"), UNKNOWN)
    })

    it("a reset to a snapshot keeps the current policy", async () => {
      await set("b", { network_policy: "egress" })
      await call("snapshot", { workspace: "b", name: "wide" })
      await set("b", { allow_hosts: [SERVER] })
      await call("reset", { workspace: "b", snapshot: "wide" })
      assert.strictEqual(await fetch("b", "other.test.net"), UNKNOWN)
      assert.strictEqual(await fetch("b"), `hello ${SERVER}`)
      await remove("b")
    })

    it("a policy of a stopped workspace holds from its start on", async () => {
      await call("stop", { workspace: "a" })
      await set("a", { allow_hosts: ["other.test.net"] })
      await call("start", { workspace: "a" })
      assert.deepStrictEqual([await fetch("a"), await fetch("a", "other.test.net")], [UNKNOWN, "hello other.test.net"])
      await set("a", { allow_hosts: [SERVER] })
    })

    it("connections go on through a snapshot, and end with a return to it", async () => {
      const said = await holding("a", 2)
      await call("snapshot", { workspace: "a", name: "open" })
      assert.strictEqual(await said(), "made")
      assert.isTrue(await isOpen("a", 2))
      await call("fork", { workspace: "a", name: "c" })
      if (driver.capturesPrograms) await until("the reset in the fork", async () => await said("c") === RESET)
      assert.isTrue(await isOpen("c", 0))
      assert.strictEqual(await said(), "made")
      await call("reset", { workspace: "a", snapshot: "open" })
      if (driver.capturesPrograms) await until("the reset in the past", async () => await said() === RESET)
      assert.isTrue(await isOpen("a", 0))
      assert.strictEqual(await fetch("a"), `hello ${SERVER}`)
      await remove("c")
    })

    it("a reset ends connections, and keeps the policy and the log", async () => {
      await holding("a", 2)
      await call("reset", { workspace: "a" })
      assert.isTrue(await isOpen("a", 0))
      assert.strictEqual((await log("a")).entries.at(-1)?.reason, "the microVM ended")
      assert.strictEqual(await fetch("a"), `hello ${SERVER}`)
    })

    it("500 connections at once are all served", async () => {
      const served = await python(
        "a",
        `import asyncio
async def one():
  reader, writer = await asyncio.open_connection("${SERVER}", 7)
  writer.write(b"GET\\n\\n")
  data = await reader.readexactly(5)
  writer.close()
  return data == b"GET\\n\\n"
async def all(): return await asyncio.gather(*[one() for _ in range(500)])
print(sum(asyncio.run(all())))`
      )
      assert.strictEqual(served, "500")
    })

    it("200 connections are reset when the process is killed, and the workspace goes on", async () => {
      const said = await holding("a", 200)
      await set("a", { allow_once: ["other.test.net"] })
      await client.kill()
      await until("the resets", async () => await said() === RESET)
      assert.isTrue(await isOpen("a", 0))
      assert.strictEqual((await status("a")).state, "running")
      // A permission for one connection does not outlive the process.
      assert.deepStrictEqual([await fetch("a"), await fetch("a", "other.test.net")], [`hello ${SERVER}`, UNKNOWN])
    })

    it("a stopped workspace shows the next process the policy that its start brings back", async () => {
      await call("create", { name: "off", memory_mib: 256, disk_mib: 512 })
      for (const workspace of ["a", "off"]) await call("stop", { workspace })
      await client.kill()
      const shown = async (workspace: string) => {
        const { network } = await status(workspace)
        return [network?.networkPolicy, network?.allowHosts.join()]
      }
      assert.deepStrictEqual(await shown("a"), ["egress", SERVER])
      assert.deepStrictEqual(await shown("off"), ["off", ""])
      await call("start", { workspace: "off" })
      assert.strictEqual(await fetch("off", "203.0.113.10"), "Network is unreachable")
      await call("start", { workspace: "a" })
      assert.strictEqual(await fetch("a"), `hello ${SERVER}`)
    })
  })
}
