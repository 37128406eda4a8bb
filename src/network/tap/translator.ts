import { type ChildProcess, spawn } from "node:child_process"
import { settingNow } from "../../system/settings/config.ts"
import { OUTSIDE } from "./addresses.ts"

/** Descriptor of the network namespace in the new process. */
const NAMESPACE = 3

/** Longest text of a failure. */
const SAID_CHARACTERS = 1_000

/**
 * Arguments of pasta(1), which connects a network namespace to the host's network by sockets of its own: the host's firewall, routes and settings
 * stay as they are. No address stands for the host, and nothing is forwarded inwards.
 */
const PASTA = [
  ...["--foreground", "--stderr", "--quiet"],
  // The namespace belongs to root. Of root's capabilities pasta keeps CAP_SYS_ADMIN and CAP_NET_BIND_SERVICE, under a system call filter.
  ...["--runas", "0:0", "--netns-only", "--netns", `/proc/self/fd/${NAMESPACE}`, "--no-netns-quit"],
  ...["--config-net", "--ns-ifname", OUTSIDE.device],
  ...["--address", OUTSIDE.address, "--netmask", OUTSIDE.netmask, "--gateway", OUTSIDE.gateway],
  // A host without IPv6, or without IPv4, connects the other one alone.
  ...["--address", OUTSIDE.address6, "--gateway", OUTSIDE.gateway6],
  ...["--no-map-gw", "--tcp-ports", "none", "--udp-ports", "none", "--tcp-ns", "none", "--udp-ns", "none"],
  ...["--no-dhcp", "--no-ra", "--no-dhcpv6"]
]

/** Its process namespace ends with this process, however it ends. The host's files are there to be read. */
const confined = (tag: string) => [
  ...["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--new-session", "--die-with-parent"],
  ...["--ro-bind", "/", "/", "--dev", "/dev", "--dev-bind", "/dev/net/tun", "/dev/net/tun", "--proc", "/proc"],
  ...["--setenv", "PYRO_VM", tag, "--", "pasta", ...PASTA]
]

/** Starts the translator between a network namespace and this process's network. `onEnd` gets its last words. */
export const startTranslator = (
  namespace: number,
  tag: string,
  onEnd: (detail: string) => void
): { readonly stop: () => void } => {
  const child: ChildProcess = spawn("bwrap", confined(tag), {
    cwd: "/",
    detached: true,
    env: { PATH: settingNow("PATH"), LC_ALL: "C" },
    stdio: ["ignore", "ignore", "pipe", namespace]
  })
  let said = ""
  child.stderr!.setEncoding("utf8").on("data", (text: string) => said = (said + text).slice(-SAID_CHARACTERS))
  child.on("error", ({ message }) => onEnd(message))
  child.on("close", (code, signal) => onEnd(`${signal ?? `status ${code}`}${said === "" ? "" : `: ${said.trim()}`}`))
  return { stop: () => void child.kill("SIGKILL") }
}
