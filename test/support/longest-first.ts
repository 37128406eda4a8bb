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
  "workspace-faults-cache",
  "workspace-compare",
  "workspace-silent",
  "workspace-user",
  "workspace-exec",
  "workspace-exec-flow",
  "mcp",
  "pool",
  "workspace-snapshot",
  "workspace-flatten",
  "lifecycle-faults",
  "trouble",
  "workspace-lifecycle",
  "run",
  "workspace-faults-qemu",
  "workspace-damaged",
  "workspace-faults-space",
  "daemon-stalled",
  "workspace-collisions",
  "workspace-logs",
  "sdk-first-run",
  "examples",
  "workspace-disk",
  "kill",
  "workspace-shell",
  "workspace-lifecycle-crowd",
  "workspace-lifecycle-interrupted",
  "workspace-exec-beside"
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
