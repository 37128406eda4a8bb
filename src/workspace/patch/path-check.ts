import { limits } from "./patch.ts"

/** Why a path of a patch may not be used; undefined when it may. Paths are byte strings, relative to /workspace. */
export const pathProblem = (path: string): string | undefined => {
  if (path === "") return "it has no name"
  if (path.startsWith("/")) return "it is absolute; paths are relative to /workspace"
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
