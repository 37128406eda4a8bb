import { execFileSync } from "node:child_process"
import { assert } from "vitest"
import { includes, on, type Step, tellStory } from "./story.ts"

/** Id of a command, or as much as a text shows of it: hosts show their model the fields of a result, or its text. */
const SHOWN_ID = /exec_id\W+([0-9a-f]{8,32})\b/

const exec = (command: string) => on("workspace_exec", { command })

const patch = (line: string, more = "") =>
  `--- a/greet.sh\n+++ b/greet.sh\n@@ -1,3 +1,${
    more === "" ? 3 : 4
  } @@\n #!/bin/sh\n # Greets somebody by name.\n-echo "Hello, $1"\n${more}+${line}\n`

const deleted: Step = {
  what: "deletes the workspace",
  call: { tool: "workspace_delete", args: { workspace_ids: ["fix"] } },
  expect: includes("deleted")
}

const created: Step = {
  what: "creates a workspace",
  call: { tool: "workspace_create", args: { name: "fix" } },
  expect: includes("fix")
}

/** Place of the first mistake among the steps. */
const MISTAKE = 2

const rewind: ReadonlyArray<Step> = [
  created,
  {
    what: "does work that is to stay",
    call: exec("sed -i 's/Hello, $1/Hello, ${1:-you}!/' greet.sh && sh test.sh"),
    expect: includes("ok a name", "ok no name")
  },
  {
    what: "makes a mistake",
    call: exec("rm -rf /usr/lib/git-core && echo removed"),
    expect: (output) => {
      includes("removed")(output)
      assert.match(output, SHOWN_ID)
    }
  },
  {
    what: "makes it worse",
    call: exec("echo > /etc/passwd; echo 'exit 1' > greet.sh; echo done"),
    expect: includes("done")
  },
  { what: "breaks the guest", call: exec("rm -rf /usr"), expect: () => {} },
  {
    what: "sees that nothing works any more",
    call: exec("sh test.sh"),
    expect: (output) => assert.notInclude(output, "ok a name")
  },
  {
    what: "goes back to before its first mistake, and reads what that undid",
    call: {
      tool: "workspace_reset",
      args: (outputs) => ({ workspace_id: "fix", before: SHOWN_ID.exec(outputs[MISTAKE] ?? "")?.[1] ?? "none" })
    },
    expect: includes("undone: ", "git-core", "greet.sh", "rm -rf /usr", "brings back what is undone")
  },
  {
    what: "goes on with its work",
    call: exec("sh test.sh && git status --short && id -un"),
    expect: includes("ok a name", "ok no name", "M greet.sh", "root")
  },
  {
    what: "undoes one more command by its number",
    call: on("workspace_reset", { before: "2" }),
    expect: includes("undone: ")
  },
  {
    what: "sees the project as it was seeded",
    call: exec("sh test.sh"),
    expect: includes("FAIL a name")
  },
  deleted
]

tellStory({
  title: "an agent that broke its environment three commands ago",
  steps: rewind,
  env: { PYRO_REWIND_MIB: "2048", PYRO_REWIND_EVERY_MS: "0" }
})

const tried: ReadonlyArray<Step> = [
  created,
  {
    what: "tries three patches and a command, and keeps the best",
    call: on("workspace_try", {
      candidates: [
        { name: "half", patch: patch("echo \"Hello, $1!\"") },
        { name: "long", patch: patch("echo \"Hello, $name!\"", "+name=${1:-you}\n") },
        { name: "short", patch: patch("echo \"Hello, ${1:-you}!\"") },
        { name: "script", command: "sed -i 's/somebody/anybody/' greet.sh" }
      ],
      check: "sh test.sh",
      keep: "best"
    }),
    expect: (output) => {
      includes("half", "long", "short", "script", "FAIL no name")(output)
      assert.match(output, /kept\W+short/)
    }
  },
  {
    what: "reads the diff of the kept patch",
    call: on("workspace_diff"),
    expect: includes("Hello, ${1:-you}!", "greet.sh")
  },
  {
    what: "sees the check pass in the workspace",
    call: exec("sh test.sh"),
    expect: includes("ok a name", "ok no name")
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
    what: "undoes the keep",
    // The check that looked at the workspace is no step.
    call: on("workspace_reset", { before: "1" }),
    expect: includes("pyro try --keep short")
  },
  { what: "sees the workspace as it was before the try", call: exec("sh test.sh"), expect: includes("FAIL a name") },
  deleted
]

tellStory({
  title: "an agent that tries several fixes at once",
  steps: tried,
  connect: ["--profile", "workspace-full"],
  env: { PYRO_REWIND_MIB: "2048", PYRO_REWIND_EVERY_MS: "0" }
})
