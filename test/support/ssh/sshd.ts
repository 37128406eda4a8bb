import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import * as fs from "node:fs"
import * as net from "node:net"
import * as os from "node:os"
import * as path from "node:path"

/** OpenSSH's server as files (scripts/setup/openssh-server.mjs). */
const tree = path.join(process.env["XDG_CACHE_HOME"] || path.join(os.homedir(), ".cache"), "pyro-test/openssh-server")

const freePort = async () => {
  const server = net.createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as net.AddressInfo
  server.close()
  await once(server, "close")
  return port
}

const listens = async (port: number, child: ChildProcess) => {
  while (child.exitCode === null) {
    const socket = net.connect(port, "127.0.0.1")
    const isOpen = await Promise.race([
      once(socket, "connect").then(() => true),
      once(socket, "error").then(() => false)
    ])
      .catch(() => false)
    socket.destroy()
    if (isOpen) return
    await new Promise((resolve) => setImmediate(resolve))
  }
  throw new Error("sshd has ended")
}

/**
 * OpenSSH's server on the loopback, for the user of the tests, and a folder for PATH with an `ssh` that knows it as the host `bench`. The server has
 * a password file and a /run of its own: as root, it wants a user and a folder of Debian's package.
 */
export const startSshd = async (folder: string) => {
  const inFolder = (name: string) => path.join(folder, name)
  const port = await freePort()
  for (const name of ["host", "key"]) {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", inFolder(name)])
  }
  fs.writeFileSync(
    inFolder("passwd"),
    `${fs.readFileSync("/etc/passwd", "utf8").trimEnd()}\nsshd:x:64999:65534::/run/sshd:/usr/sbin/nologin\n`
  )
  fs.writeFileSync(
    inFolder("sshd_config"),
    [
      `ListenAddress 127.0.0.1:${port}`,
      `HostKey ${inFolder("host")}`,
      `AuthorizedKeysFile ${inFolder("key.pub")}`,
      "StrictModes no",
      "UsePAM no",
      "PidFile none",
      "PermitRootLogin yes",
      "MaxStartups 100:30:200",
      // Debian 13's server is of several programs.
      ...(fs.existsSync(path.join(tree, "usr/lib/openssh/sshd-session"))
        ? [`SshdSessionPath ${path.join(tree, "usr/lib/openssh/sshd-session")}`]
        : [])
    ].join("\n")
  )
  fs.writeFileSync(
    inFolder("ssh_config"),
    [
      "Host bench",
      "  HostName 127.0.0.1",
      `  Port ${port}`,
      `  User ${os.userInfo().username}`,
      `  IdentityFile ${inFolder("key")}`,
      "  IdentitiesOnly yes",
      "  StrictHostKeyChecking accept-new",
      `  UserKnownHostsFile ${inFolder("known_hosts")}`
    ].join("\n")
  )
  const bin = inFolder("bin")
  fs.mkdirSync(bin)
  const real = execFileSync("sh", ["-c", "command -v ssh"], { encoding: "utf8" }).trim()
  fs.writeFileSync(path.join(bin, "ssh"), `#!/bin/sh\nexec ${real} -F ${inFolder("ssh_config")} "$@"\n`, {
    mode: 0o755
  })
  const child = spawn("bwrap", [
    ...[
      "--dev-bind",
      "/",
      "/",
      "--ro-bind",
      inFolder("passwd"),
      "/etc/passwd",
      "--tmpfs",
      "/run",
      "--dir",
      "/run/sshd"
    ],
    ...["--die-with-parent", "--setenv", "LD_LIBRARY_PATH", path.join(tree, "usr/lib/x86_64-linux-gnu"), "--"],
    ...[path.join(tree, "usr/sbin/sshd"), "-D", "-e", "-f", inFolder("sshd_config")]
  ], { stdio: ["ignore", "ignore", fs.openSync(inFolder("sshd.log"), "w")] })
  await listens(port, child)
  return {
    /** For PATH: its `ssh` knows the host `bench`. */
    bin,
    stop: async () => {
      child.kill("SIGTERM")
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit")
    }
  }
}
