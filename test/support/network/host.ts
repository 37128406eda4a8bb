import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { bundled } from "../package/bundled.ts"
import { temporaryFolder } from "../pyro-cli.ts"
import type { Served } from "./mirrors/serve.ts"
import { resolvConf } from "./resolv-conf.ts"

const world = path.resolve(import.meta.dirname, "../../network/world")

/** Names of the host's /etc/hosts: a server outside under several names, and machines of the LAN. */
const HOSTS = `127.0.0.1 localhost
203.0.113.10 server.test.net other.test.net both.test.net
2001:db8:1::10 six.test.net both.test.net
192.168.7.1 lan.test.net
fd00:7::1 lan6.test.net
`
/** Address of the mirrors' names. */
const MIRRORS = "203.0.113.11"

const [uid, gid] = [process.getuid!(), process.getgid!()]
const isRoot = uid === 0

/** A process in namespaces of its own, once it has printed a line. */
const inNamespaces = (before: ReadonlyArray<string>, unshare: ReadonlyArray<string>, args: ReadonlyArray<string>) =>
  new Promise<ChildProcess>((resolve, reject) => {
    const words = [...before, "unshare", ...unshare, "--net", "--mount", "--propagation", "private", "sh", ...args]
    const child = spawn(words[0]!, words.slice(1), { stdio: ["pipe", "pipe", "inherit"] })
    child.once("error", reject)
    child.once("exit", (code) => reject(new Error(`sh ${args.join(" ")} ended with status ${code}`)))
    child.stdout.once("data", () => resolve(child))
  })

const ended = (child: ChildProcess) =>
  new Promise<void>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    child.once("exit", () => resolve())
    child.kill("SIGKILL")
  })

/**
 * A host with a network of its own, for daemons of tests: servers listen at 203.0.113.10 and 192.168.7.1, on port 80 (HTTP), 7 (echo) and 9
 * (counts). `enter` are the words before a program that make the program run there. An ordinary user makes both networks in one user namespace,
 * in which programs have the user's own id.
 * With an `identity`, a server of HTTPS listens as well. `mirrors` get their names, on ports 80 and 443. A `dual` host also has IPv6, and the
 * server echoes at 2001:db8:1::10.
 */
export const networkHost = async (
  identity?: { readonly cert: string; readonly key: string },
  mirrors?: Pick<Served, "hosts" | "sockets">,
  kind: "ipv4" | "dual" = "ipv4"
) => {
  const { folder, remove } = temporaryFolder("pyro-network-host-")
  const put = (name: string, text: string) => {
    fs.writeFileSync(path.join(folder, name), text)
    return path.join(folder, name)
  }
  const program = await bundled(path.join(import.meta.dirname, "outside.ts"), path.join(folder, "outside.mjs"))
  const outside = await inNamespaces([], isRoot ? [] : ["--user", "--map-root-user"], [
    path.join(world, "outside.sh"),
    process.execPath,
    program,
    JSON.stringify({ identity, mirrors: mirrors && { ...mirrors.sockets, address: MIRRORS } })
  ])
  const user = (pid: number | undefined) =>
    isRoot ? [] : ["nsenter", "--target", String(pid), "--user", "--preserve-credentials", "--"]
  const host = await inNamespaces(user(outside.pid), [], [
    path.join(world, "world.sh"),
    String(outside.pid),
    put("resolv.conf", resolvConf("203.0.113.53")),
    put("hosts", mirrors === undefined ? HOSTS : `${HOSTS}${MIRRORS} ${mirrors.hosts.join(" ")}\n`),
    kind,
    ...["sh", "-c", "echo ready; exec cat"]
  ])
  return {
    enter: isRoot ? ["nsenter", "--target", String(host.pid), "--net", "--mount", "--"] : [
      "nsenter",
      ...["--target", String(host.pid), "--user", "--preserve-credentials", "--net", "--mount", "--"],
      ...["unshare", "--user", `--map-user=${uid}`, `--map-group=${gid}`, "--"]
    ],
    close: async () => {
      await ended(host)
      await ended(outside)
      remove()
    }
  } as const
}
