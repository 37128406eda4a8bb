import { named } from "../text/names.ts"
import { type ExportRefused, type InvalidRequest, type PyroError } from "./errors.ts"
import { ChannelFailed, CommandNotExecutable, CommandNotFound, GuestPanicked, VmFailed } from "./guest.ts"
import { DiskDamaged } from "./workspace.ts"

/** Errors of a guest or a disk, which know no workspace where they arise. Their hints name it. */
const WITH_HINT = [
  ChannelFailed,
  CommandNotExecutable,
  CommandNotFound,
  DiskDamaged,
  GuestPanicked,
  VmFailed
] as const

/** A command in a detail, with the word that stands for the workspace. */
const COMMAND = /\b(pyro (?:[a-z-]+ )+)NAME\b/g

const isTold = (error: PyroError): error is ExportRefused | InvalidRequest =>
  error._tag === "InvalidRequest" || error._tag === "ExportRefused"

/** The same error with other fields. */
const changed = <E extends PyroError>(error: E, fields: Partial<E>): PyroError => {
  const Class = error.constructor as unknown as {
    new(fields: object): PyroError
    readonly fields: object
  }
  const given = Object.keys(Class.fields).filter((field) => field !== "_tag" && field in error)
  return new Class({ ...named(given.map((field) => [field, error[field as keyof E]])), ...fields })
}

/** Errors whose field has the id by its description. */
const WITH_ID: ReadonlySet<PyroError["_tag"]> = new Set(["StateTooNew", "WorkspaceNameTaken"])

/** The error with the name of the workspace, or with its id if it has no name, in each command that a person types next. */
export const withWorkspace = (error: PyroError, workspace: string, id = workspace): PyroError => {
  if (isTold(error)) {
    const detail = error.detail.replace(COMMAND, (_, command: string) => `${command}${workspace}`)
    return detail === error.detail ? error : changed(error, { detail })
  }
  if ("workspace" in error && error.workspace === id && id !== workspace && !WITH_ID.has(error._tag)) {
    return changed(error, { workspace })
  }
  if ("workspace" in error || !WITH_HINT.some((one) => error instanceof one)) return error
  return changed(error, { workspace } as Partial<PyroError>)
}
