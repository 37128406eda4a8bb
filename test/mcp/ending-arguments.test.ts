import { assert, describe, it } from "vitest"
import { modeNames } from "../../src/contract/rows/modes.ts"
import { type SelectionName } from "../../src/mcp/profile.ts"
import { selectedTools } from "../../src/mcp/tool-table.ts"

/** Arguments of tools that are not destructive, and that end or overwrite something all the same. The reason is why nothing unexported is lost. */
const ENDING: Readonly<Record<string, string>> = {
  "service_stop.name": "the service can start again from the same files",
  "shell_close.shell_id": "its programs end, and their files stay",
  "workspace_cancel.exec_id": "the command ends, and its files stay",
  "workspace_cancel.grace_seconds": "time before that end",
  "workspace_create.ttl_seconds": "an hour or more for a model, from each use",
  "workspace_exec.cancel": "the command ends, and its files stay",
  "workspace_exec.timeout_seconds": "the command ends, and its files stay",
  "workspace_exec.grace_seconds": "time before that end",
  "workspace_exec.command": "a reset to before the command undoes the command",
  "workspace_exec.stdin": "as the command",
  "workspace_file_edit.new_text": "a reset to before a command undoes the edit",
  "workspace_file_edit.old_text": "as new_text",
  "workspace_file_edit.replace_all": "as new_text",
  "workspace_file_write.content": "a reset to before a command undoes the write",
  "workspace_file_write.mode": "as content",
  "workspace_file_write.text": "as content",
  "workspace_network_set.allow_hosts": "connections end, and a new policy allows them again",
  "workspace_network_set.deny_hosts": "as allow_hosts",
  "workspace_network_set.network_policy": "as allow_hosts",
  "workspace_patch_apply.patch": "a reset to before a command undoes the patch",
  "workspace_patch_apply.patch_bytes": "as patch",
  "workspace_sync_push.delete": "a point is made before the push",
  "workspace_sync_push.force": "a point is made before the push",
  "workspace_update.clear_labels": "labels can be set again",
  "workspace_update.labels": "labels can be set again",
  "workspace_update.name": "the id stays, and the name can be set again",
  "workspace_update.ttl_seconds": "a model can only prolong the time",
  "port_unpublish.guest_port": "the port can be published again",
  "shell_write.input": "as a command",
  "shell_write.keys": "as a command"
}

/** Arguments that say which, where, how much or how to show: they end nothing. */
const HARMLESS: ReadonlySet<string> = new Set([
  "allow_hosts",
  "allow_once",
  "check",
  "cols",
  "command",
  "count",
  "cursor",
  "cwd",
  "dest",
  "disk_mib",
  "disk_only",
  "empty",
  "env",
  "environment",
  "exec_id",
  "expected_version",
  "git",
  "grace_seconds",
  "include_ignored",
  "labels",
  "memory_mib",
  "name",
  "network_policy",
  "no_newline",
  "path",
  "port",
  "publish",
  "raw",
  "ready_command",
  "ready_file",
  "ready_http",
  "ready_tcp",
  "ready_timeout_seconds",
  "restart",
  "rows",
  "secret_env",
  "secret_mount",
  "seed_path",
  "shell_id",
  "snapshot",
  "source_path",
  "stdin",
  "timeout_seconds",
  "user",
  "vcpu_count",
  "wait_for",
  "wait_seconds",
  "workspace_id",
  "workspace_user"
])

const SELECTIONS: ReadonlyArray<SelectionName> = ["workspace-core", "workspace-full", "vm-run", ...modeNames]

/** `TOOL.ARGUMENT` of every tool that hosts run without a question, whatever the server. */
const given = [
  ...new Set(
    SELECTIONS.flatMap((selection) =>
      selectedTools(selection, { network: true })
        .filter(({ listed: { annotations: { destructiveHint, readOnlyHint } } }) => !destructiveHint && !readOnlyHint)
        .flatMap(({ listed }) =>
          Object.keys(listed.inputSchema.properties ?? {}).map((name) => `${listed.name}.${name}`)
        )
    )
  )
].sort()

describe("arguments of tools that are not destructive", () => {
  it("each one that ends or overwrites something is declared with its bound", () => {
    const unknown = given.filter((one) => !(one in ENDING) && !HARMLESS.has(one.split(".")[1]!))
    assert.deepStrictEqual(unknown, [], "declare the argument here: what does it end, and what brings that back?")
    assert.deepStrictEqual(Object.keys(ENDING).filter((one) => !given.includes(one)), [])
  })

  it("none has the words of a loss", () => {
    for (const word of ["discard", "force_stop", "overwrite", "replace", "reset"]) {
      assert.deepStrictEqual(given.filter((one) => one.split(".")[1]!.startsWith(word) && !(one in ENDING)), [], word)
    }
  })
})
