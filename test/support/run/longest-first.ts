import * as path from "node:path"
import { BaseSequencer, type TestSpecification } from "vitest/node"

/**
 * Files of test/guest/ that take longer than 20 seconds, in about the order of their times. `environment-image` makes the environment of the
 * builder: a second file of images beside it would only wait for the same build. A file that is missing here, or is listed
 * too early, only makes one of the two workers wait for the other at the end.
 */
const LONG = [
  "environment-dockerfile",
  "environment-image",
  "agent-inside",
  "environment-kernel",
  "workspace-silent",
  "docs",
  "pool",
  "workspace-compare",
  "lifecycle-faults",
  "environment",
  "environment-own",
  "workspace-snapshot",
  "workspace-exec",
  "examples",
  "workspace-ssh",
  "devcontainer",
  "trouble",
  "workspace-fork-memory",
  "workspace-idle",
  "workspace-lifecycle",
  "workspace-pause",
  "workspace-exec-flow",
  "workspace-faults-space",
  "sdk-first-run",
  "run",
  "workspace-faults-cache",
  "prepare",
  "workspace-rewind",
  "lifecycle-saved",
  "project",
  "workspace-user",
  "workspace-signal",
  "environment-archive",
  "mcp-first-run",
  "secret-http",
  "workspace-try-memory",
  "mcp",
  "workspace-flatten",
  "workspace-damaged",
  "workspace-lent-agent",
  "workspace-pause-uses",
  "network",
  "workspace-exec-beside",
  "workspace-logs",
  "workspace-disk-tools",
  "seed",
  "workspace-service",
  "workspace-editors",
  "workspace-collisions",
  "workspace-shell",
  "workspace-files",
  "workspace-secrets",
  "workspace-faults-memory",
  "workspace-ssh-agent",
  "demo",
  "workspace-saved",
  "lifecycle-try",
  "workspace-faults-qemu",
  "lifecycle-processes",
  "attach",
  "workspace-lifecycle-daemon",
  "capture"
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
