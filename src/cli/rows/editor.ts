import { Schema } from "effect"
import { type CliSurface, lazy } from "../../contract/rows/operation.ts"
import { workspaceField } from "../../contract/rows/workspace-field.ts"
import { optional, text } from "../../contract/text/fields.ts"
import { flag } from "./flag.ts"

/** Editors that reach a workspace by SSH. */
export const editorNames = ["code", "cursor", "zed", "jetbrains"] as const

export const CodePayload = lazy(() =>
  Schema.Struct({
    workspace: workspaceField(),
    directory: optional(text("Directory of the guest to open. Default: that of the workspace's commands, /workspace")),
    editor: optional(
      Schema.Literals(editorNames).annotate({
        description: `Editor to open: ${editorNames.join(", ")}. Default: the first one that this host has`
      })
    ),
    yes: flag("Write the entry of ~/.ssh without a question")
  })
)

/** Starts a program of the person, and writes to the person's files. It is no operation, so that no model can call it. */
export const codeCommand = {
  name: "workspace.code",
  summary: "Open a workspace in an editor of this host, by SSH",
  description:
    "Opens a directory of the workspace in VS Code, Cursor or Zed, and says what to do in JetBrains Toolbox. The editor finds the workspace by its " +
    "entry of `pyro ssh-config --write`, which pyro writes after a question. An editor's own server runs in the guest: VS Code and Zed " +
    "send it through the connection if the guest has no network. docs/editors.md has the settings.",
  cli: {
    path: ["workspace", "code"],
    args: ["workspace", "directory"],
    exits: "own",
    examples: ["pyro code fix", "pyro code fix /workspace/src --editor zed"]
  } satisfies CliSurface,
  payload: CodePayload
} as const
