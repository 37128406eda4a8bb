import type { CreateSandboxOptions } from "@computesdk/provider"
import type { CreateOptions } from "pyro/promises"
import { labelsOf } from "../shared/names.ts"

/** pyro's words for those of ComputeSDK: each of its providers has its own. */
const WORDS: ReadonlyMap<string, keyof CreateOptions> = new Map([
  ["directory", "cwd"],
  ["diskMiB", "diskMib"],
  ...["image", "templateId"].map((word) => [word, "environment"] as const),
  ...["memoryMiB", "memMiB", "memoryMb", "memory"].map((word) => [word, "memoryMib"] as const),
  ["timeout", "ttlMs"],
  ...["vcpus", "cpus", "cpuLimit", "cpu"].map((word) => [word, "vcpuCount"] as const)
])

/** Words without a meaning here. Every port can be published later, by getUrl. */
const IGNORED: ReadonlySet<string> = new Set(
  ["deploymentPlan", "launch_parameters", "namespace", "ports", "provider", "resources", "runtime", "size", "vmTier"]
)

/**
 * Options of pyro's `create` for those of ComputeSDK. Keys that are pyro's own pass, such as `seedPath` and `allowHosts`, and pyro refuses keys that it
 * does not know.
 */
export const createFields = (defaults: CreateOptions, options: CreateSandboxOptions): CreateOptions => {
  const { envs, metadata, snapshotId: _, ...asked } = options
  const own = Object.entries({ vcpus: options.resources?.vcpus, ...asked })
    .filter(([word, value]) => value !== undefined && !IGNORED.has(word))
    .map(([word, value]) => [WORDS.get(word) ?? word, value])
  const base: CreateOptions = { ...defaults, ...Object.fromEntries(own) }
  return {
    ...base,
    vcpuCount: base.vcpuCount && Math.ceil(base.vcpuCount),
    env: { ...base.env, ...envs },
    labels: { ...base.labels, ...labelsOf(metadata) }
  }
}
