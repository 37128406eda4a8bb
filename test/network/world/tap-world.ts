import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import * as path from "node:path"
import { createInterface } from "node:readline"
import type { Policy } from "../../../src/lib/network/model/policy.ts"
import { processName } from "../../../src/lib/vm/model/record.ts"
import { processesWithArgument } from "../../../src/system/processes/identity.ts"
import { bundled, bundleDialProgram, linkBuilt } from "../../support/bundled.ts"
import { networkHost } from "../../support/network/host.ts"
import { temporaryFolder } from "../../support/pyro-cli.ts"

export const VM = "vm-0123456789ab"

/** A process that keeps a network namespace until its stdin ends. */
const namespace = () =>
  new Promise<ChildProcess>((resolve) => {
    const child = spawn("unshare", ["--net", "sh", "-c", "echo ready; exec cat"], {
      stdio: ["pipe", "pipe", "inherit"]
    })
    child.stdout.once("data", () => resolve(child))
  })

const within = ({ pid }: ChildProcess, ...args: ReadonlyArray<string>) =>
  execFileSync("nsenter", ["--target", String(pid), "--net", "--", ...args], { encoding: "utf8" })

/** A microVM's network namespace and its guest, with a pair of virtual devices in place of the tap device and QEMU. */
const link = (vm: ChildProcess, guest: ChildProcess) => {
  within(vm, "ip", "link", "add", "guest", "type", "veth", "peer", "name", "eth0", "netns", String(guest.pid))
  within(
    vm,
    "sh",
    "-ec",
    "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding; " +
      "ip address add 198.18.0.2/24 dev guest; ip address add fd70:7972:6f00::2/64 dev guest nodad; ip link set guest up"
  )
  within(
    guest,
    "sh",
    "-ec",
    "ip address add 198.18.0.3/24 dev eth0; ip address add fd70:7972:6f00::3/64 dev eth0 nodad; ip link set eth0 up; " +
      "ip route add default via 198.18.0.2; ip route add default via fd70:7972:6f00::2"
  )
}

/** What the host would show a person of its network. */
const hostNetwork = (enter: ReadonlyArray<string>) => {
  const [program, ...rest] = enter
  const shown = (...args: ReadonlyArray<string>) => execFileSync(program!, [...rest, ...args], { encoding: "utf8" })
  return [
    shown("nft", "list", "ruleset"),
    shown("ip", "-br", "link"),
    shown("ip", "route"),
    shown("ip", "rule"),
    shown("cat", "/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv4/ping_group_range")
  ].join("\n")
}

const LIBRARY = `
const attempt = (work) => new Promise(work).catch((error) => error.code)
const to = (name, found) => require("net").isIP(name) ? Promise.resolve(found([name])) : resolver.resolve4(name).then(found)
const resolver = new (require("dns").promises.Resolver)({ timeout: 3000, tries: 1 })
resolver.setServers(["198.18.0.2"])
const udp = (name, port = 7) => to(name, ([address]) => attempt((resolve, reject) => {
  const socket = require("dgram").createSocket(address.includes(":") ? "udp6" : "udp4")
  socket.on("error", reject).on("message", (bytes) => { socket.close(); resolve(String(bytes)) })
  setTimeout(() => reject({ code: "SILENCE" }), 4000).unref()
  socket.connect(port, address, () => socket.send("hello"))
})).catch((error) => error.code)
const tcp = (name, port = 7) => to(name, ([address]) => attempt((resolve, reject) => {
  const socket = require("net").connect(port, address).on("error", reject)
  socket.setTimeout(4000, () => reject({ code: "SILENCE" }))
  socket.on("data", (bytes) => { socket.destroy(); resolve(String(bytes)) }).write("hello")
})).catch((error) => error.code)
`

/** A host, a daemon's part, and a guest with a network device. Needs root. `without`: an IP version that the host has no route of. */
export const tapWorld = async ({ without }: { readonly without?: 4 | 6 } = {}) => {
  const { folder, remove } = temporaryFolder("pyro-tap-world-")
  const host = await networkHost(undefined, undefined, "dual")
  if (without !== undefined) {
    const [enter, ...rest] = host.enter
    execFileSync(enter!, [...rest, "ip", `-${without}`, "route", "delete", "default"])
  }
  await bundleDialProgram(folder)
  linkBuilt(folder)
  const program = await bundled(path.join(import.meta.dirname, "tap-daemon.ts"), path.join(folder, "tap-daemon.mjs"))
  const [vm, guest] = await Promise.all([namespace(), namespace()])
  link(vm, guest)
  const entries: Array<
    { readonly kind: string; readonly host: string; readonly port?: number; readonly reason: string }
  > = []
  let inForce = () => {}
  const start = () => {
    const [enter, ...rest] = host.enter
    const daemon = spawn(enter!, [...rest, process.execPath, program, String(vm.pid), VM], {
      stdio: ["pipe", "pipe", "inherit"]
    })
    createInterface(daemon.stdout).on("line", (line) => {
      // Its warnings.
      if (!line.startsWith("{")) return
      const { entry } = JSON.parse(line) as { readonly entry?: (typeof entries)[number] }
      if (entry === undefined) inForce()
      else entries.push(entry)
    })
    return daemon
  }
  let daemon = start()
  const ended = (child: ChildProcess, signal: NodeJS.Signals) =>
    new Promise<void>((resolve) => {
      child.once("exit", () => resolve())
      child.kill(signal)
    })
  const children: Array<ChildProcess> = []
  return {
    entries,
    /** A folder for the test's files. */
    folder,
    /** Puts a policy in force; the first one opens the network. */
    policy: (policy: Partial<Policy>) =>
      new Promise<void>((resolve) => {
        inForce = resolve
        daemon.stdin!.write(`${JSON.stringify(policy)}\n`)
      }),
    /** Kills the daemon by SIGKILL, and starts another one, which has no policy yet. */
    killDaemon: async () => {
      await ended(daemon, "SIGKILL")
      daemon = start()
    },
    /** Value of a JavaScript expression in the guest, with `udp` and `tcp`. */
    guest: (expression: string) =>
      new Promise<unknown>((resolve, reject) => {
        const script = `${LIBRARY};(async () => (${expression}))().then((value) => console.log(JSON.stringify(value)))`
        const child = spawn("nsenter", ["--target", String(guest.pid), "--net", "--", process.execPath, "-e", script], {
          stdio: ["pipe", "pipe", "inherit"]
        })
        children.push(child)
        createInterface(child.stdout).once("line", (line) => resolve(JSON.parse(line)))
        // Behind its last line, which `exit` may precede.
        child.once("close", (code) => reject(new Error(`the guest's program ended with status ${code}`)))
      }),
    /** Devices of the microVM's namespace. */
    devices: () =>
      within(vm, "ip", "-br", "link").split("\n").map((line) => line.split(/[@ ]/)[0]!).filter((name) => name !== ""),
    firewall: () => within(vm, "nft", "list", "ruleset"),
    hostNetwork: () => hostNetwork(host.enter),
    /** Processes that serve the network. */
    processes: () => processesWithArgument(processName(VM)),
    close: async () => {
      for (const child of children) child.kill("SIGKILL")
      await ended(daemon, "SIGKILL")
      await Promise.all([vm, guest].map((child) => ended(child, "SIGKILL")))
      await host.close()
      remove()
    }
  } as const
}
