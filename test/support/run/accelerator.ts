import * as fs from "node:fs"
import * as path from "node:path"
import { hostBootId } from "../../../src/system/processes/identity.ts"
import { sharedCache } from "../own-cache.ts"

interface Facts {
  readonly bootId: string
  readonly values: Readonly<Record<string, string>>
}

const facts = (): Facts | undefined => {
  try {
    return JSON.parse(fs.readFileSync(path.join(sharedCache, "host-facts.json"), "utf8")) as Facts
  } catch {
    return undefined
  }
}

/**
 * `tcg` where pyro has found that no kernel boots on this host's KVM. A cache, a QEMU or a kernel of a test's own would find out again,
 * which takes 20 seconds each time where a guest on KVM hangs.
 */
export const knownAccelerator = (): { readonly PYRO_ACCELERATOR?: "tcg" } => {
  const known = facts()
  const isRefused = known?.bootId === hostBootId() &&
    Object.entries(known.values).some(([key, answer]) => key.startsWith("kvm:") && answer.startsWith("no"))
  return isRefused ? { PYRO_ACCELERATOR: "tcg" } : {}
}
