import { existsSync, readlinkSync } from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { settlesAs } from "../support/settled.ts"
import { tapWorld } from "./world/tap-world.ts"

const SERVER = "203.0.113.10"
const LAN = "192.168.7.1"
const HOST = "198.51.100.2"
const SERVER6 = "2001:db8:1::10"
const HOST6 = "2001:db8::2"

/** Number of the policy in force. */
const numberOf = (firewall: string) => /ct mark set (\S+)/.exec(firewall)![1]

/** Program of a process. Undefined if it has ended. Its `comm` is that of a thread on Node 24. */
const nameOf = (pid: number) => {
  try {
    return path.basename(readlinkSync(`/proc/${pid}/exe`))
  } catch {
    return undefined
  }
}

describe.runIf(process.getuid!() === 0)("the host's side of a network device", () => {
  let world: Awaited<ReturnType<typeof tapWorld>>
  let before: string
  beforeAll(async () => {
    world = await tapWorld()
    before = world.hostNetwork()
  })
  afterAll(() => world.close())

  it("an allowed name is reached over UDP and TCP, once it was looked up, and its real address is answered", async () => {
    await world.policy({ allowHosts: ["server.test.net"] })
    assert.strictEqual(await world.guest(`tcp("${SERVER}")`), "ECONNREFUSED")
    assert.deepStrictEqual(await world.guest(`resolver.resolve4("server.test.net")`), [SERVER])
    assert.strictEqual(await world.guest(`udp("${SERVER}")`), "hello")
    assert.strictEqual(await world.guest(`tcp("server.test.net")`), "hello")
  })

  it("other names, private addresses, the host, metadata services and other resolvers are out of reach", async () => {
    await world.policy({ allowHosts: ["server.test.net", "lan.test.net"] })
    assert.deepStrictEqual(
      await world.guest(`Promise.all([
        udp("other.test.net"), udp("lan.test.net"), tcp("${LAN}"), udp("${LAN}"), tcp("${HOST}", 80), tcp("169.254.169.254", 80),
        udp("203.0.113.53", 53), tcp("198.19.0.2", 80)
      ])`),
      [
        "ENOTFOUND",
        "ENOTFOUND",
        "ECONNREFUSED",
        "EHOSTUNREACH",
        "ECONNREFUSED",
        "ECONNREFUSED",
        "EHOSTUNREACH",
        "ECONNREFUSED"
      ]
    )
    const reasonOf = (host: string) => world.entries.find((entry) => entry.host === host)?.reason
    await settlesAs(() => reasonOf("169.254.169.254"), "169.254.169.254 is an address of a metadata service")
    assert.strictEqual(reasonOf("other.test.net"), "no --allow-host rule allows the name")
    assert.include(
      reasonOf("lan.test.net"),
      `lan.test.net resolves to an address that is denied: ${LAN} is a private address`
    )
    await settlesAs(() => reasonOf(HOST), `${HOST} is an address of this host`)
  })

  it("a rule's port holds for both protocols, and an allowed address opens no other one", async () => {
    await world.policy({ allowHosts: ["server.test.net:7"], allowIps: [`${LAN}:7`] })
    assert.deepStrictEqual(
      await world.guest(`Promise.all([
        udp("server.test.net"), tcp("server.test.net"), tcp("server.test.net", 80), tcp("${LAN}"), tcp("${LAN}", 80)
      ])`),
      ["hello", "hello", "ECONNREFUSED", "hello", "ECONNREFUSED"]
    )
  })

  it("egress without a list opens every public address, and a denied name needs look-ups again", async () => {
    await world.policy({})
    const attempts = `Promise.all([udp("${SERVER}"), tcp("${LAN}"), tcp("${HOST}", 80)])`
    assert.deepStrictEqual(await world.guest(attempts), ["hello", "ECONNREFUSED", "ECONNREFUSED"])
    await world.policy({ denyHosts: ["other.test.net"] })
    assert.strictEqual(await world.guest(`udp("203.0.113.53")`), "EHOSTUNREACH")
    assert.strictEqual(await world.guest(`udp("other.test.net")`), "ENOTFOUND")
    assert.strictEqual(await world.guest(`udp("server.test.net")`), "hello")
  })

  it("IPv6 has the same policy", async () => {
    await world.policy({ allowHosts: ["six.test.net:7", "server.test.net", "lan6.test.net"] })
    assert.strictEqual(await world.guest(`tcp("${SERVER6}")`), "ECONNREFUSED")
    assert.deepStrictEqual(await world.guest(`resolver.resolve6("six.test.net")`), [SERVER6])
    assert.deepStrictEqual(
      await world.guest(`Promise.all([
        udp("${SERVER6}"), tcp("${SERVER6}"), tcp("${SERVER6}", 80), tcp("${HOST6}", 80), tcp("fd00:7::1"), udp("fd70:7972:6f00:1::1"),
        tcp("::ffff:${LAN}"), attempt((resolve, reject) => resolver.resolve6("server.test.net").then(resolve, reject)),
        attempt((resolve, reject) => resolver.resolve6("lan6.test.net").then(resolve, reject))
      ])`),
      [
        "hello",
        "hello",
        "ECONNREFUSED",
        "ECONNREFUSED",
        "ECONNREFUSED",
        "EACCES",
        "ECONNREFUSED",
        "ENODATA",
        "ENOTFOUND"
      ]
    )
    const reasonOf = (host: string) => world.entries.find((entry) => entry.host === host)?.reason
    await settlesAs(() => reasonOf(HOST6), `${HOST6} is an address of this host`)
    await settlesAs(() => reasonOf("fd00:7::1"), "fd00:7::1 is a unique local address")
    assert.include(reasonOf("lan6.test.net"), "fd00:7::1 is a unique local address")
  })

  it("a name with both families gets both, and egress without a list opens public addresses of IPv6", async () => {
    await world.policy({ allowHosts: ["both.test.net"] })
    assert.deepStrictEqual(
      await world.guest(`Promise.all([resolver.resolve4("both.test.net"), resolver.resolve6("both.test.net")])`),
      [[SERVER], [SERVER6]]
    )
    assert.deepStrictEqual(await world.guest(`Promise.all([udp("${SERVER}"), udp("${SERVER6}")])`), ["hello", "hello"])
    await world.policy({})
    assert.deepStrictEqual(
      await world.guest(`Promise.all([tcp("${SERVER6}"), tcp("${HOST6}", 80)])`),
      ["hello", "ECONNREFUSED"]
    )
    await world.policy({ networkPolicy: "off" })
    assert.strictEqual(await world.guest(`tcp("${SERVER6}")`), "ECONNREFUSED")
  })

  it("a policy that forbids an open connection resets it, and one that allows it keeps it", async () => {
    await world.policy({ allowHosts: ["server.test.net"] })
    const heard = path.join(world.folder, "heard")
    const talk = world.guest(`resolver.resolve4("server.test.net").then(([address]) => attempt((resolve) => {
      const socket = require("net").connect(7, address)
      const sent = { echoes: 0 }
      const timer = setInterval(() => socket.write("x"), 20)
      socket.on("data", () => { sent.echoes += 1; require("fs").writeFileSync(${JSON.stringify(heard)}, "") })
      socket.on("error", ({ code }) => { clearInterval(timer); resolve([code, sent.echoes > 0]) })
    }))`)
    await settlesAs(() => existsSync(heard), true)
    await world.policy({ allowHosts: ["server.test.net:7"] })
    assert.strictEqual(await world.guest(`tcp("server.test.net")`), "hello")
    await world.policy({ networkPolicy: "off" })
    assert.deepStrictEqual(await talk, ["ECONNRESET", true])
    assert.strictEqual(await world.guest(`udp("server.test.net")`), "ENOTFOUND")
  })

  it("a killed process of the network is started again, and no packet goes elsewhere meanwhile", async () => {
    await world.policy({ allowHosts: ["server.test.net"] })
    assert.strictEqual(await world.guest(`udp("server.test.net")`), "hello")
    const serving = ["node", "bwrap"]
    for (const name of serving) {
      const pids = () => world.processes().map(({ pid }) => pid).filter((pid) => nameOf(pid) === name)
      await settlesAs(() => pids().length > 0, true)
      const killed = pids()
      for (const pid of killed) process.kill(pid, "SIGKILL")
      await settlesAs(() => pids().some((pid) => !killed.includes(pid)), true)
      await settlesAs(() => world.guest(`udp("server.test.net")`), "hello")
      assert.strictEqual(await world.guest(`tcp("${LAN}")`), "ECONNREFUSED")
    }
  })

  it("a killed watcher of denials is started again", async () => {
    await world.policy({ allowHosts: ["server.test.net"] })
    const watchers = () => world.processes().map(({ pid }) => pid).filter((pid) => nameOf(pid) === "pyro-denied")
    const killed = watchers()
    assert.lengthOf(killed, 1)
    process.kill(killed[0]!, "SIGKILL")
    await settlesAs(() => watchers().some((pid) => !killed.includes(pid)), true)
    const isLogged = () => world.entries.some(({ host, port }) => host === LAN && port === 4_711)
    await settlesAs(async () => {
      await world.guest(`tcp("${LAN}", 4711)`)
      return isLogged()
    }, true)
  })

  it("a killed daemon leaves no process and no way out, the next one connects the guest again, and the host is as before", async () => {
    await world.policy({ allowHosts: ["server.test.net"] })
    const number = numberOf(world.firewall())
    await world.killDaemon()
    await settlesAs(() => world.processes().length, 0)
    await settlesAs(() => world.devices().includes("out"), false)
    assert.include(world.firewall(), "policy drop")
    assert.strictEqual(world.hostNetwork(), before)
    await world.policy({ allowHosts: ["server.test.net"] })
    assert.strictEqual(await world.guest(`udp("server.test.net")`), "hello")
    // A flow that the former daemon has allowed, and then denied, would pass under the same number.
    assert.notStrictEqual(numberOf(world.firewall()), number)
    assert.strictEqual(world.hostNetwork(), before)
  })
})

describe.runIf(process.getuid!() === 0)("a host with one version of IP", () => {
  const cases = [
    { has: "IPv4", without: 6, reached: SERVER, missing: SERVER6 },
    { has: "IPv6", without: 4, reached: SERVER6, missing: SERVER }
  ] as const
  for (const { has, missing, reached, without } of cases) {
    it(`${has} connects, and the other version fails at once`, async () => {
      const world = await tapWorld({ without })
      try {
        await world.policy({ allowHosts: ["both.test.net"] })
        await world.guest(`resolver.resolve4("both.test.net")`)
        assert.deepStrictEqual(
          await world.guest(`Promise.all([udp("${reached}"), tcp("${reached}")])`),
          ["hello", "hello"]
        )
        assert.oneOf(await world.guest(`tcp("${missing}")`), ["EHOSTUNREACH", "ENETUNREACH"])
      } finally {
        await world.close()
      }
    })
  }
})
