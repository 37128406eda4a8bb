import type { DoctorLine } from "../../contract/rows/host.ts"
import { fine, wrong } from "./line.ts"

const report = "please report it; do not trust this host's VMs to be unlike each other until it is mended"

/** A claim about VMs that holds, or that must not be lived with. */
export const verdict = (name: string, ok: boolean, found: string): DoctorLine =>
  ok ? fine(name, found) : wrong(name, found, report)

/** What a guest says about itself, a line each. */
export const selfPortrait =
  "head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \\n'; echo; cat /etc/machine-id /proc/sys/kernel/random/boot_id; hostname"

const traits = ["random bytes", "machine id", "boot id", "host name"]

/** That guests are unlike each other in all that they say about themselves. */
export const differ = (portraits: ReadonlyArray<string>, of = ""): ReadonlyArray<DoctorLine> => {
  const lines = portraits.map((text) => text.split("\n"))
  return traits.map((trait, index) => {
    const found = lines.map((portrait) => portrait[index] ?? "")
    return verdict(
      `different ${trait}${of}`,
      new Set(found).size === found.length && !found.includes(""),
      new Set(found).size === found.length ? found.map((one) => one.slice(0, 36)).join(" and ") : `twice ${found[0]}`
    )
  })
}

const maxClockOffsetMs = 50

export const clockVerdict = (name: string, offsetMs: number): DoctorLine =>
  verdict(name, Math.abs(offsetMs) <= maxClockOffsetMs, `${offsetMs.toFixed(1)} ms off the host's`)
