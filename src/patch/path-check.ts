import { workspaceRoot } from "../guest-channel/guest-path.ts"
import { limits } from "./patch.ts"

/**
 * A path of a patch, relative to /workspace: without `.` and without a leading /workspace. Forbidden paths stay so: `..` is kept,
 * and a path with an empty component is unchanged.
 */
export const relativePath = (named: string): string => {
  if (named.includes("//")) return named
  const path = named.split("/").filter((name) => name !== ".").join("/")
  if (path === workspaceRoot) return ""
  return path.startsWith(`${workspaceRoot}/`) ? path.slice(workspaceRoot.length + 1) : path
}

/** Reason why a patch may not use a path. `undefined` if it may. Paths are byte strings, relative to /workspace. */
export const pathProblem = (path: string): string | undefined => {
  if (path === "") return "it names no file"
  if (path.includes("//")) return "it has an empty component"
  if (path.startsWith("/")) return "it is absolute, and not beneath /workspace"
  if (path.includes("\0")) return "it has a NUL byte in it"
  if (path.length > limits.path) return "it is too long"
  for (const name of path.split("/")) {
    if (name === "..") return "it leads out of its directory"
    if (name === "" || name === ".") return "it has an empty component"
    if (name.toLowerCase() === ".git") return "it lies in .git"
    if (name.length > limits.name) return "a component of it is too long"
  }
  return undefined
}
