import * as path from "node:path"
import { BaseSequencer, type TestSpecification } from "vitest/node"

/**
 * Files of test/guest/ that take longer than 20 seconds, in about the order of their times. A file that is missing here, or is listed
 * too early, only makes one of the two workers wait for the other at the end.
 */
const LONG = [
  "docs",
  "environment",
  "environment-own",
  "environment-image",
  "devcontainer",
  "environment-dockerfile",
  "workspace-compare",
  "agent-inside",
  "workspace-silent",
  "lifecycle-faults",
  "workspace-exec",
  "workspace-snapshot",
  "trouble",
  "pool",
  "workspace-flatten",
  "workspace-lifecycle",
  "examples",
  "workspace-exec-flow",
  "workspace-faults-qemu",
  "environment-releases",
  "workspace-faults-space",
  "run",
  "workspace-faults-cache",
  "workspace-damaged",
  "secret-http-clients",
  "workspace-user",
  "sdk-first-run",
  "workspace-lifecycle-interrupted",
  "mcp",
  "network-tap",
  "workspace-logs",
  "disk-budget",
  "workspace-disk",
  "cli",
  "mcp-first-run",
  "workspace-shell",
  "prepare",
  "workspace-exec-beside",
  "kill"
]

/** 0 for the longest; the same for every file that is not listed. */
const rank = ({ moduleId }: TestSpecification) => {
  const at = LONG.indexOf(path.basename(moduleId, ".test.ts"))
  return at < 0 || path.basename(path.dirname(moduleId)) !== "guest" ? LONG.length : at
}

/** Runs the projects in the order of the configuration, and the longest files of each first, so that both workers end together. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>) {
    const order = this.ctx.projects.map(({ name }) => name)
    const kind = ({ project }: TestSpecification) => order.indexOf(project.name)
    // The order of vitest's own, which knows sizes and earlier times, stays for all others: `sort` is stable.
    return (await super.sort(files)).sort((a, b) => kind(a) - kind(b) || rank(a) - rank(b))
  }
}
