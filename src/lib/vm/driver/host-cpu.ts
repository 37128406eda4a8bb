import { createHash } from "node:crypto"
import { cpuInfo } from "../../../system/processes/host.ts"

/** Model and microcode of the host's CPU: under KVM the guest has seen its features. */
export const hostCpu = () => {
  const info = cpuInfo()
  const first = info.slice(0, info.indexOf("\n\n"))
  return ["vendor_id", "cpu family", "model", "stepping", "microcode", "flags"].map((name) =>
    new RegExp(`^${name}\\s*: (.*)$`, "m").exec(first)?.[1] ?? ""
  )
}

/** Short hash of a description. */
export const digestOf = (value: unknown) =>
  createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 16)
