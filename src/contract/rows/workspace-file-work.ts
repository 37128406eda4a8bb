import { Schema } from "effect"
import { boolean, described, flag, integer, matching, optional, string } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { fileState, fileUserField, path, resultPath } from "./file-fields.ts"
import { always, lazy, unary } from "./operation.ts"
import { at, readable, withVm } from "./states.ts"
import { workspaceField } from "./workspace-field.ts"

const modeBits = (pattern: RegExp, description: string) =>
  Schema.String.pipe(matching(pattern, "must be permission bits in octal, such as 755"), described(description))

/** Fields of every request. */
const on = (what: string) => ({ workspace: workspaceField(), path: path(what), ...fileUserField() })
const replaceField = () => flag("Replace a file, or an empty directory, at the target")

const mcp = { missing: "workspace_exec does it with a command of the guest" }
const running = { states: at(withVm), on: "running", writes: always } as const
const cli = (verb: string, args: ReadonlyArray<string>, examples: ReadonlyArray<string>) => ({
  path: ["workspace", "file", verb] as const,
  args: ["workspace", ...args],
  examples
})

export const FileStatPayload = lazy(() =>
  snakeStruct({ ...on("File or directory"), noFollow: flag("Show a symbolic link itself, and not its target") })
)
const FileStat = lazy(() =>
  snakeStruct({
    path: resultPath(),
    exists: boolean("Whether there is something at the path. All fields below are absent otherwise"),
    ...fileState()
  })
)
export const workspaceFileStat = unary({
  name: "workspace.file.stat",
  summary: "Show type, size, mode and owner of a file, or that there is none",
  description:
    "Looks at a file or directory of the guest. An absent file is a result (`exists` is false, exit status 1) and no error. " +
    "Follows symbolic links as the guest's programs do. The workspace may be stopped or failed.",
  cli: cli("stat", ["path"], ["pyro file stat fix src/main.py", "pyro file stat fix /etc/os-release --no-follow"]),
  mcp,
  states: at(readable),
  on: "reader",
  errors: ["FileRefused"],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: FileStatPayload,
  result: FileStat
})

export const FileMkdirPayload = lazy(() =>
  snakeStruct({
    ...on("Directory to make"),
    parents: flag("Make missing directories above it, and accept one that is there"),
    mode: optional(modeBits(/^(?!0+$)[0-7]{3,4}$/, "Permission bits in octal, such as 700. Default: 755"))
  })
)
export const workspaceFileMkdir = unary({
  name: "workspace.file.mkdir",
  summary: "Make a directory in a workspace",
  description: "Makes a directory. New directories have the owner of the directory that holds them, or the named user.",
  cli: cli("mkdir", ["path"], ["pyro file mkdir fix notes", "pyro file mkdir fix /opt/tool/bin --parents"]),
  mcp,
  ...running,
  errors: ["FileRefused"],
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
  payload: FileMkdirPayload,
  result: lazy(() => snakeStruct({ path: resultPath(), created: boolean("Whether the directory is new") }))
})

export const FileRemovePayload = lazy(() =>
  snakeStruct({
    ...on("File or directory to remove"),
    recursive: flag("Remove a directory with all its content"),
    ifExists: flag("Succeed if there is nothing at the path")
  })
)
export const workspaceFileRemove = unary({
  name: "workspace.file.remove",
  summary: "Remove a file or a directory of a workspace",
  description:
    "Removes a file, a symbolic link itself, an empty directory, or with --recursive a directory of any depth. Mounts stay, and are an error.",
  cli: cli("remove", ["path"], [
    "pyro file remove fix CHANGELOG.md",
    "pyro file remove fix build --recursive --if-exists"
  ]),
  mcp,
  ...running,
  errors: ["FileRefused"],
  annotations: { readOnly: false, destructive: true, idempotent: false, openWorld: false },
  payload: FileRemovePayload,
  result: lazy(() => snakeStruct({ path: resultPath(), removed: boolean("Whether something was removed") }))
})

const toTarget = (what: string) => snakeStruct({ ...on(what), target: path("New path"), replace: replaceField() })

export const FileRenamePayload = lazy(() => toTarget("File or directory to rename"))
export const workspaceFileRename = unary({
  name: "workspace.file.rename",
  summary: "Rename or move a file or a directory of a workspace",
  description:
    "Moves the file, link or directory in one step, within one file system, and makes the directories above the target.",
  cli: cli("rename", ["path", "target"], [
    "pyro file rename fix app.conf conf/app.conf",
    "pyro file rename fix run.sh start.sh --replace"
  ]),
  mcp,
  ...running,
  errors: ["FileRefused"],
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
  payload: FileRenamePayload,
  result: lazy(() => snakeStruct({ path: resultPath() }))
})

export const FileCopyPayload = lazy(() => toTarget("File or directory to copy"))
export const workspaceFileCopy = unary({
  name: "workspace.file.copy",
  summary: "Copy a file or a directory within a workspace",
  description:
    "Copies content, permissions, times and symbolic links, whole or not at all, and makes the directories above the target. Copies have the " +
    "owner of the target's directory, or the named user. Devices, sockets, FIFOs and mounts are left out and counted.",
  cli: cli("copy", ["path", "target"], [
    "pyro file copy fix src backup/src",
    "pyro file copy fix /etc/hosts hosts --replace"
  ]),
  mcp,
  ...running,
  errors: ["FileRefused"],
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
  payload: FileCopyPayload,
  result: lazy(() =>
    snakeStruct({
      path: resultPath(),
      entries: integer("Number of files, directories and links that were made"),
      bytes: integer("Bytes of content"),
      skipped: integer("Number of entries that were left out")
    })
  )
})

export const FileChmodPayload = lazy(() =>
  snakeStruct({
    ...on("File or directory to change"),
    mode: modeBits(/^[0-7]{3,4}$/, "Permission bits in octal, such as 755")
  })
)
export const workspaceFileChmod = unary({
  name: "workspace.file.chmod",
  summary: "Change the permissions of a file of a workspace",
  description: "Sets the permission bits of a file or a directory. Follows a symbolic link.",
  cli: cli("chmod", ["path", "mode"], ["pyro file chmod fix run.sh 755"]),
  mcp,
  ...running,
  errors: ["FileRefused"],
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: false },
  payload: FileChmodPayload,
  result: lazy(() => snakeStruct({ path: resultPath(), mode: string("Permission bits in octal, such as 0644") }))
})
