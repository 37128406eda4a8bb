import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import type { HostName } from "../../src/contract/rows/agent-host.ts"
import { runProgram } from "../host-process.ts"
import { type Plan, side } from "../measure.ts"

/** One host for each format of a configuration: JSON with comments, TOML and YAML. */
const HOSTS: ReadonlyArray<HostName> = ["cursor", "claude-code", "codex", "goose"]

export const hostConnect: Plan = {
  name: "host-connect",
  unit: "ms",
  about: "`pyro host connect HOST` as a process, in a home without files of hosts, one host after the other",
  budget: { kind: "absolute", atMost: 1_000 },
  rounds: (runs) => 2 * runs,
  warmups: 2,
  ours: async ({ pyro }) => {
    let at = 0
    return side(async () => {
      const home = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-bench-home-"))
      try {
        const host = HOSTS[at++ % HOSTS.length]!
        return (await runProgram([...pyro, "host", "connect", host], 0, { ...process.env, HOME: home })).ms
      } finally {
        fs.rmSync(home, { recursive: true })
      }
    })
  }
}
