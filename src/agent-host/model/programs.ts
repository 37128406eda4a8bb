import * as path from "node:path"
import { isSameFile } from "../../system/files/host-path.ts"
import { isExecutable } from "../../system/processes/host.ts"
import { processEnvironment } from "../../system/settings/config.ts"

/** Finds a program on a PATH, or checks the given path if it has a slash. Undefined if there is no such program. */
export const findProgram = (name: string, searched: string | undefined, cwd: string): string | undefined => {
  if (name.includes("/")) {
    const file = path.resolve(cwd, name)
    return isExecutable(file) ? file : undefined
  }
  return (searched ?? "").split(":").filter((folder) => folder !== "")
    .map((folder) => path.join(folder, name))
    .find(isExecutable)
}

/** Whether a file is this program, or the `pyro` on PATH. */
export const isOwnProgram = (file: string): boolean => {
  const onPath = findProgram("pyro", processEnvironment()["PATH"], "/")
  return isSameFile(file, process.argv[1] ?? "") || (onPath !== undefined && isSameFile(file, onPath))
}
