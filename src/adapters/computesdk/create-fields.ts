import type { CreateSandboxOptions } from "@computesdk/provider"
import type { CreateOptions } from "pyro/promises"
import { labelsOf } from "../shared/names.ts"

/** The first of ComputeSDK's words for one thing: each of its providers has its own. */
const first = <A>(...values: ReadonlyArray<A | undefined>): A | undefined => values.find((value) => value !== undefined)

/**
 * Options of pyro's `create` for those of ComputeSDK. Keys that are pyro's own pass, such as `seedPath` and `allowHosts`, and pyro refuses keys that it
 * does not know.
 */
export const createFields = (defaults: CreateOptions, options: CreateSandboxOptions): CreateOptions => {
  const {
    cpu,
    cpuLimit,
    cpus,
    deploymentPlan: _deploymentPlan,
    directory,
    diskMiB,
    envs,
    image,
    launch_parameters: _launchParameters,
    memMiB,
    memory,
    memoryMb,
    memoryMiB,
    metadata,
    namespace: _namespace,
    // Every port can be published later, by getUrl.
    ports: _ports,
    provider: _provider,
    resources,
    runtime: _runtime,
    size: _size,
    snapshotId,
    templateId,
    timeout,
    vcpus,
    vmTier: _vmTier,
    ...own
  } = options
  if (snapshotId !== undefined) {
    throw new Error("pyro has no snapshots for ComputeSDK: fork the workspace of sandbox.getInstance() instead.")
  }
  const cores = first(vcpus, cpus, resources?.vcpus, cpuLimit, cpu)
  const base: CreateOptions = { ...defaults, ...own }
  return {
    ...base,
    cwd: first(directory, base.cwd),
    diskMib: first(diskMiB, base.diskMib),
    environment: first(image, templateId, base.environment),
    memoryMib: first(memoryMiB, memMiB, memoryMb, memory, base.memoryMib),
    ttlMs: first(timeout, base.ttlMs),
    vcpuCount: cores === undefined ? base.vcpuCount : Math.ceil(cores),
    env: { ...base.env, ...envs },
    labels: { ...base.labels, ...labelsOf(metadata) }
  }
}
