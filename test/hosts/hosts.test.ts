import { execFileSync } from "node:child_process"
import { assert } from "vitest"
import { EXEC_ID, includes, on, type Step, tellStory } from "./story.ts"

/** A 1x1 PNG. */
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="

/** What an agent does with a project, and what its model has to see of each step. */
const steps: ReadonlyArray<Step> = [
  {
    what: "creates a workspace",
    call: { tool: "workspace_create", args: { name: "fix" } },
    expect: (output, project) => includes("fix", project)(output)
  },
  {
    what: "sees a command fail",
    call: on("workspace_exec", { command: "sh test.sh" }),
    expect: includes("FAIL a name")
  },
  {
    what: "edits a file",
    call: on("workspace_file_edit", { path: "greet.sh", old_text: "Hello, $1", new_text: "Hello, ${1:-you}!" }),
    expect: includes("greet.sh")
  },
  {
    what: "sees the command succeed",
    call: on("workspace_exec", { command: "sh test.sh" }),
    expect: includes("ok a name", "ok no name")
  },
  { what: "reads the diff", call: on("workspace_diff"), expect: includes("Hello, ${1:-you}!", "greet.sh") },
  {
    what: "reads an error and its next step",
    call: on("workspace_file_read", { path: "nowhere.txt" }),
    expect: includes("nowhere.txt", "hint:")
  },
  {
    what: "leaves a command running",
    call: on("workspace_exec", { command: "echo started; sleep 1000", wait_seconds: 1 }),
    expect: includes("exec_id", "started")
  },
  {
    what: "reads the summary",
    call: on("workspace_summary"),
    expect: (output) => {
      includes("greet.sh", "sleep 1000")(output)
      assert.match(output, EXEC_ID)
    }
  },
  {
    what: "ends the running command by the id that the summary names",
    call: {
      tool: "workspace_exec",
      args: (outputs) => ({ workspace_id: "fix", exec_id: EXEC_ID.exec(outputs.at(-1) ?? "")?.[0], cancel: true })
    },
    expect: (output) => assert.notInclude(output, "hint:")
  },
  {
    what: "sees that nothing runs any more",
    call: on("workspace_status"),
    expect: (output) => assert.notMatch(output, EXEC_ID)
  },
  {
    what: "exports the change",
    call: on("workspace_export", { patch: true, output_path: "fix.patch" }),
    expect: (output, project) => {
      assert.include(output, "fix.patch")
      execFileSync("git", ["apply", "--check", "fix.patch"], { cwd: project })
    }
  },
  {
    what: "makes a picture",
    call: on("workspace_exec", { command: `echo ${PNG} | base64 -d > dot.png` }),
    expect: () => {}
  },
  {
    what: "sees a picture",
    call: on("workspace_file_read", { path: "dot.png" }),
    expect: includes("image/png")
  },
  {
    what: "deletes the workspace",
    call: { tool: "workspace_delete", args: { workspace_ids: ["fix"] } },
    expect: includes("deleted")
  }
]

tellStory({ title: "work on a project", steps })
