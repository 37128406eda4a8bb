import { mode } from "./mode.ts"
import { create, diff, exec, fileList, fileRead, list, onlyWorkspace, remove } from "./narrowed.ts"

export const reviewEval = mode({
  name: "review-eval",
  use: "judge one or more changes by the same commands, each from the same snapshot, and write a report",
  tools: {
    workspace_create: create,
    workspace_list: list,
    workspace_exec: exec,
    workspace_file_list: fileList,
    workspace_file_read: fileRead,
    workspace_file_write: { arguments: ["workspace_id", "path", "text", "expected_version"] },
    workspace_patch_apply: { arguments: ["workspace_id", "patch", "check"] },
    workspace_diff: diff,
    workspace_snapshot_create: { arguments: ["workspace_id", "name"] },
    workspace_reset: {
      arguments: ["workspace_id", "snapshot"],
      description:
        "Bring a workspace back to a snapshot, or to its creation: later changes, processes and history are lost"
    },
    workspace_summary: onlyWorkspace,
    workspace_export: {
      arguments: ["workspace_id", "path", "output_path", "overwrite"],
      description: "Copy a file, such as the report, to the user's project: the only tool that writes there"
    },
    workspace_delete: remove
  },
  instructions: [
    "This server is for one task: judge changes by a rubric of commands. A workspace is a disposable Linux VM (root) whose /workspace starts as a copy of the " +
    "user's project. Only workspace_export writes to the host.",
    "1. workspace_create; install what the commands need with workspace_exec, and run the rubric once without a change. 2. workspace_snapshot_create with the " +
    "name ready. 3. For each candidate: workspace_patch_apply, then every command of the rubric, then workspace_diff and workspace_summary. Write the results down " +
    "before 4. workspace_reset with snapshot ready: each candidate starts from the same memory and files. 5. At the end, write the report with " +
    "workspace_file_write, and workspace_export it. 6. workspace_delete.",
    "Judge by exit statuses and output, with the same commands for each candidate. Do not repair a candidate. The report has a table of candidates and " +
    "commands, what you read in the diff, and a verdict. A command that takes long answers state \"running\": come back with exec_id and " +
    "next_cursor. A non-zero exit status is a result, not an error." +
    " workspace_list finds the workspace again if you lost its id."
  ],
  prompt: {
    description: "Judge changes by the same commands, and write a report",
    argument: {
      name: "changes",
      description: "Changes to judge, and commands to judge by. Default: the project as it is, by its tests"
    },
    text: (changes = "what I named before, else the project as it is, by its tests") =>
      `Judge this in a new pyro workspace: ${changes}\n\n` +
      "Ask me first if that is not enough to begin. Prepare the workspace once and take a snapshot. Judge each candidate from that snapshot with the " +
      "same commands, and reset in between. Repair nothing. Export the report to review.md, delete the workspace, and tell me the verdict in a few " +
      "sentences."
  }
})
