import { mode } from "./mode.ts"
import { create, exec, fileList, fileRead, list, onlyWorkspace, remove } from "./narrowed.ts"

export const coldStart = mode({
  name: "cold-start",
  use:
    "follow the project's own instructions on a clean machine: install, build, test, start. The files stay as they are",
  tools: {
    workspace_create: create,
    workspace_list: list,
    workspace_exec: exec,
    workspace_file_list: fileList,
    workspace_file_read: fileRead,
    service_start: {
      arguments: ["workspace_id", "name", "command", "ready_tcp", "ready_http", "ready_timeout_seconds", "cwd", "env"]
    },
    service_logs: { arguments: ["workspace_id", "name", "cursor", "tail_lines"] },
    workspace_summary: onlyWorkspace,
    workspace_reset: onlyWorkspace,
    workspace_delete: remove
  },
  instructions: [
    "This server is for one task: prove that the project starts on a clean machine. A workspace is a disposable Linux VM (root) whose /workspace starts as a " +
    "copy of the user's project without ignored files, so nothing is installed or built yet. No tool copies anything back to the host.",
    "1. workspace_create with environment debian:12-build, which has compilers, Python and Node to install with, unless the project needs another. Read " +
    "the README and the project's other instructions with workspace_file_read. 2. Do each documented step with workspace_exec, " +
    "in the documented order and words. 3. Start a server with service_start, which returns when the server is ready; service_logs has its output. " +
    "4. At a failure, find the cause, and go on with a work-around that you note down. 5. workspace_reset, and run the whole list of steps once more from the " +
    "beginning: only that run proves anything. 6. workspace_summary, then workspace_delete.",
    "Correct no file of the project: report what is missing instead. The report has each step with its exit status and duration, each step that the " +
    "documentation lacks, and the first command that failed. A command that takes long answers state \"running\": come back with exec_id and next_cursor." +
    " workspace_list finds the workspace again if you lost its id."
  ],
  prompt: {
    description: "Follow the project's instructions on a clean machine, and report what is missing",
    argument: { name: "goal", description: "What must work at the end. Default: the project's tests pass" },
    text: (goal = "what I asked for before, else: the project's tests pass") =>
      `Start from nothing: follow this project's own instructions in a new pyro workspace until this holds: ${goal}\n\n` +
      "Ask me first if that is not enough to begin. Do the documented steps in their order, and note every step that is missing or wrong. Then reset " +
      "the workspace, and run the corrected list of steps once from the beginning. Delete the workspace. Tell me whether a new contributor would " +
      "succeed, the exact list of commands, and what the documentation must say."
  }
})
