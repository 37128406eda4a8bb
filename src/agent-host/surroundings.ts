import * as path from "node:path"
import { absolutePath, canBeProject, projectAround, realPath } from "../system/files/host-path.ts"
import { processEnvironment } from "../system/settings/config.ts"
import { isWindows } from "../system/settings/this-computer.ts"
import type { Place } from "./hosts/agent-host.ts"
import { findProgram } from "./model/programs.ts"

/** Ignores relative XDG directories, as their specification requires. */
const absolute = (named: string | undefined) => named !== undefined && path.isAbsolute(named) ? named : undefined

/** The home directory, the project and the variables of this process. */
export const surroundings = (projectPath: string | undefined, cwd: string): Place => {
  const environment = processEnvironment()
  const home = absolutePath("~", cwd)
  return {
    home,
    state: environment["PYRO_STATE_DIR"]
      ? path.resolve(cwd, environment["PYRO_STATE_DIR"])
      : isWindows()
      ? path.join(absolute(environment["LOCALAPPDATA"]) ?? path.join(home, "AppData", "Local"), "pyro", "state")
      : path.join(absolute(environment["XDG_STATE_HOME"]) ?? path.join(home, ".local/state"), "pyro"),
    project: projectPath ?? projectAround(cwd) ?? cwd,
    variable: (name) => environment[name] || undefined,
    exists: (file) => realPath(file) !== undefined
  }
}

/** Whether a directory can be a project: home directories, and directories that contain one, cannot. */
export const isProject = (directory: string): boolean => {
  const real = realPath(directory)
  return real !== undefined && canBeProject(real)
}

/** `pyro` if a host finds it on its PATH, else the path of this program. */
export const ownCommand = (cwd: string): string =>
  findProgram("pyro", processEnvironment()["PATH"], cwd) === undefined
    ? realPath(process.argv[1] ?? "") ?? "pyro"
    : "pyro"
