/** What a row says of itself as far as it matters here. */
interface Row {
  readonly name: string
  readonly annotations?: { readonly destructive: boolean }
}

/** Commands that end something, or take something away, which `reset` would bring back or which is no part of a workspace. */
const ENDS: ReadonlyArray<string> = [
  "workspace.cancel",
  "workspace.shell.signal",
  "workspace.shell.close",
  "workspace.service.stop",
  "workspace.port.unpublish",
  "daemon.stop",
  "host.disconnect"
]

/** Whether a command ends or removes what it names, or may. No suggestion leads to one, and none names another object for one. */
export const ends = ({ annotations, name }: Row): boolean => annotations?.destructive === true || ENDS.includes(name)
