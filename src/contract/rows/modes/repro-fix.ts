import { mode } from "./mode.ts"
import { create, diff, exec, fileList, fileRead, list, onlyWorkspace, remove } from "./narrowed.ts"

export const reproFix = mode({
  name: "repro-fix",
  use: "reproduce a defect in a copy of the project, correct it, and deliver the correction as a patch file",
  tools: {
    workspace_create: create,
    workspace_list: list,
    workspace_exec: exec,
    workspace_file_list: fileList,
    workspace_file_read: fileRead,
    workspace_file_write: { arguments: ["workspace_id", "path", "text", "expected_version"] },
    workspace_file_edit: { arguments: ["workspace_id", "path", "old_text", "new_text", "replace_all"] },
    workspace_patch_apply: { arguments: ["workspace_id", "patch"] },
    workspace_diff: diff,
    workspace_export: {
      arguments: ["workspace_id", "output_path", "expect", "overwrite"],
      fixed: { patch: true },
      description:
        "Write the diff to the user's project as a patch file for git apply, such as fix.patch: the only tool that writes there"
    },
    workspace_reset: onlyWorkspace,
    workspace_delete: remove
  },
  instructions: [
    "This server is for one task: reproduce a defect, and correct it. A workspace is a disposable Linux VM (root) whose /workspace starts as a " +
    "copy of the user's project. Nothing in it can change the host.",
    "1. workspace_create. 2. Reproduce the defect with workspace_exec before you change a file; write a failing test where you can. 3. Correct it with " +
    "workspace_file_edit, workspace_file_write or workspace_patch_apply. 4. Run the failing command and the project's tests again. 5. Read " +
    "workspace_diff: only the correction and its test belong there. 6. Deliver with workspace_export, and give expect the digest of the diff " +
    "that you read. 7. workspace_delete.",
    "If an attempt fails, workspace_reset brings the first state back. Report the command that failed before and passes now. If you cannot reproduce the " +
    "defect, say so and export nothing. A command that takes long answers state \"running\": come back with exec_id and next_cursor. A non-zero exit " +
    "status is a result, not an error." +
    " workspace_list finds the workspace again if you lost its id."
  ],
  prompt: {
    description: "Reproduce a defect in a workspace, correct it, and write the patch",
    argument: { name: "problem", description: "The defect: an issue's text, a failing command, or both" },
    text: (problem = "the one that I described before") =>
      `Reproduce a defect of this project in a new pyro workspace, and correct it.\n\nThe defect: ${problem}\n\n` +
      "Ask me first if that is not enough to begin. Show me a command that fails because of the defect. Then correct the cause, run that command " +
      "and the tests again, and check the diff. Export the patch to fix.patch, delete the workspace, and tell me the cause, the correction and the " +
      "command that proves the correction."
  }
})
