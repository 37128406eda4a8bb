import { findProgram } from "../../../system/processes/host.ts"
import { processEnvironment } from "../../../system/settings/config.ts"
import { isLinux } from "../../../system/settings/this-computer.ts"

/** The git of this computer. Undefined: Linux has none on PATH. */
export const gitProgram = (): string | undefined => isLinux() ? findProgram("git") : "git"

/** Where git looks for programs. On macOS and Windows, git itself may be anywhere on PATH. */
export const gitPath = (): Readonly<Record<string, string>> => {
  if (isLinux()) return { PATH: "/usr/bin:/bin" }
  const { PATH = "", Path = PATH, SystemRoot } = processEnvironment()
  return { PATH: Path, ...(SystemRoot === undefined ? {} : { SystemRoot }) }
}
