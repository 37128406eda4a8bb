/** Titles of groups with their commands, in the order of the help: the words after the path that the help is of. */
export type VerbGroups = ReadonlyArray<readonly [title: string, verbs: ReadonlyArray<string>]>

const group = (title: string, verbs: string): VerbGroups[number] => [title, verbs.split(", ")]

/** First words after `pyro`: all of them, and the verbs of workspaces that people need first. */
export const firstGroups: VerbGroups = [
  group("Begin", "demo, run, create, up, down"),
  group("Work in a workspace", "exec, attach, list, diff, export, rewind, delete, workspace"),
  group("Look", "top, ui"),
  group("Agents", "agent, mcp, host"),
  group("This host", "env, network, prepare, doctor, config, gc, daemon"),
  group("Other machines", "context, serve")
]

/** All verbs of `pyro workspace`. */
export const workspaceGroups: VerbGroups = [
  group("Daily", "up, down, create, list, exec, attach, diff, export, rewind, delete"),
  group("Look", "status, history, logs, timeline, summary, network log"),
  group(
    "Files",
    "cp, import, sync push, patch apply, file list, file read, file write, file edit, answer, disk list, disk read, disk export"
  ),
  group("Undo", "reset, snapshot create, snapshot list, snapshot delete"),
  group(
    "Copies and tries",
    "fork, try, keep, compare, commit, snapshot save, saved list, saved inspect, saved export, saved import, saved delete"
  ),
  group(
    "Run and connect",
    "cancel, service start, service list, service status, service logs, service stop, port publish, port list, port unpublish, network set, " +
      "ssh-config, ssh-agent, code"
  ),
  group("Change", "rename, update, pause, resume, stop, start"),
  group(
    "For programs",
    "signal, resize, stdin, shell open, shell list, shell read, shell write, shell resize, shell signal, shell close, file download, file upload, " +
      "file watch, file stat, file mkdir, file remove, file rename, file copy, file chmod, ssh-proxy"
  )
]
