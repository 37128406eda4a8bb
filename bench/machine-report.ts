import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"

const said = (program: string, ...args: ReadonlyArray<string>) => {
  try {
    const output = execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
    return output.split("\n")[0]?.trim() ?? ""
  } catch {
    return "unknown"
  }
}

const release = () => {
  const found = fs.existsSync("/etc/os-release") ? fs.readFileSync("/etc/os-release", "utf8") : ""
  return /^PRETTY_NAME="?([^"\n]*)/m.exec(found)?.[1] ?? "unknown"
}

/** The measured host. */
export const describeMachine = () => ({
  cpu: os.cpus()[0]?.model ?? "unknown",
  cores: os.availableParallelism(),
  memory_mib: Math.round(os.totalmem() / 1024 ** 2),
  kernel: os.release(),
  release: release()
})

/** Versions of the measured programs. */
export const describeVersions = (root: string) => ({
  pyro: String((JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8")) as { version: unknown }).version),
  commit: said("git", "-C", root, "describe", "--always", "--dirty"),
  node: process.version,
  qemu: said("qemu-system-x86_64", "--version").replace(/^QEMU emulator version /, "")
})

/** Load average of the last minute: other work on the host. */
export const load = () => Number(os.loadavg()[0]?.toFixed(2))
