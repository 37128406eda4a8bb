import { createHash } from "node:crypto"

/** What the variables of a devcontainer.json stand for. */
export interface Variables {
  /** Name of the project's directory on the host. */
  readonly folderName: string
  /** The directory of the workspace's commands. */
  readonly folder: string
  readonly id: string
  /** Values of `localEnv`: those that the person named, and never those of the host. */
  readonly given: Readonly<Record<string, string>>
  /** The variables of the container; undefined where they are not known yet. */
  readonly container?: Readonly<Record<string, string>> | undefined
}

/** Directory of the project in a workspace. */
export const PROJECT = "/workspace"

// No part takes a dollar sign: the search stays linear in a hostile text.
const pattern = /\$\{([A-Za-z]+)(?::([^}:$]*))?(?::([^}$]*))?\}/g

/** Names of the host's variables that a text asks for and that the person did not name. */
export const askedOfHost = (text: string, given: Variables["given"]): ReadonlyArray<string> =>
  Array.from(text.matchAll(pattern)).flatMap(([, kind, name = ""]) =>
    (kind === "localEnv" || kind === "env") && given[name] === undefined ? [name] : []
  )

/** A text with its variables replaced. Unknown ones stay as they are, as the reference implementation leaves them. */
export const substituted = (text: string, variables: Variables): string =>
  text.replace(pattern, (whole, kind: string, name: string | undefined, fallback: string | undefined) => {
    switch (kind) {
      case "localEnv":
      case "env":
        return variables.given[name ?? ""] ?? fallback ?? ""
      case "containerEnv":
        return variables.container === undefined ? whole : variables.container[name ?? ""] ?? fallback ?? ""
      // The guest has a copy of the project, at its own place.
      case "localWorkspaceFolder":
        return PROJECT
      case "localWorkspaceFolderBasename":
        return variables.folderName
      case "containerWorkspaceFolder":
        return variables.folder
      case "containerWorkspaceFolderBasename":
        return variables.folder.slice(variables.folder.lastIndexOf("/") + 1)
      case "devcontainerId":
        return variables.id
      default:
        return whole
    }
  })

/** `devcontainerId`: the SHA-256 of the labels that name the file, in 52 digits of base 32, as the specification says. */
export const devContainerId = (labels: Readonly<Record<string, string>>): string => {
  const sorted = JSON.stringify(labels, Object.keys(labels).sort())
  return BigInt(`0x${createHash("sha256").update(sorted).digest("hex")}`).toString(32).padStart(52, "0")
}
