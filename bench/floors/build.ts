import { execFileSync } from "node:child_process"
import * as path from "node:path"

/** The floor's two programs, compiled. */
export interface FloorPrograms {
  readonly agent: string
  readonly host: string
}

const warnings = ["-std=c17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror"]

/** Compiles the guest agent and the host helper of `sources` into `folder`. */
export const buildPrograms = (sources: string, folder: string): FloorPrograms => {
  const compile = (name: string) => {
    const program = path.join(folder, name)
    const source = path.join(sources, `${name}.c`)
    execFileSync("musl-gcc", ["-static", "-O2", "-s", "-pthread", ...warnings, source, "-o", program], {
      stdio: ["ignore", "ignore", "inherit"]
    })
    return program
  }
  return { agent: compile("agent"), host: compile("host") }
}
