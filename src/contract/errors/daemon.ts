import { Schema } from "effect"
import { optional } from "../text/fields.ts"
import { typed } from "../text/printable.ts"
import { ContractError } from "./contract-error.ts"
import { call, command, words } from "./next-step.ts"

/** The daemon, which has the workspaces, does not answer or does not start. */
export class DaemonUnavailable extends ContractError<DaemonUnavailable>()("DaemonUnavailable", {
  detail: Schema.String,
  /** The program has closed the client of the call. Absent for others. */
  closed: optional(Schema.Literal(true))
}, {
  fact: ({ closed, detail }) => closed === true ? detail : `pyro's workspaces cannot be reached: ${detail}`,
  next: ({ closed }) =>
    closed === true
      ? [words("Make another client, and close it after the last call")]
      : [call("Show its log", "daemon.logs")]
}) {}

/** A daemon of another version owns the workspaces. */
export class DaemonMismatch extends ContractError<DaemonMismatch>()("DaemonMismatch", {
  running: Schema.String,
  own: Schema.String,
  detail: Schema.String
}, {
  fact: ({ running, own, detail }) => `the daemon is pyro ${running}, and this is pyro ${own}: ${detail}`,
  next: [call("Use that version, or replace the daemon (running commands go on)", "daemon.stop")]
}) {}

/** A message between a program and its daemon that its receiver cannot read. Both are one build, so this is a defect of pyro. */
export class MessageUnreadable extends ContractError<MessageUnreadable>()("MessageUnreadable", {
  /** Name of the operation. */
  operation: Schema.String,
  detail: Schema.String
}, {
  fact: ({ operation, detail }) => `${operation}: a message between pyro and its daemon cannot be read: ${detail}`,
  next: [
    words("Look at what is there, and ask again"),
    call("If that fails, replace the daemon (running commands go on)", "daemon.stop")
  ]
}) {}

/** The daemon of another machine, of another version, failed with an error whose class this version does not know. */
export class UnknownFailure extends ContractError<UnknownFailure>()("UnknownFailure", {
  /** The code of the error there. */
  failedAs: Schema.String,
  /** What happened, in the words of that daemon. */
  detail: Schema.String
}, {
  fact: ({ detail, failedAs }) => `${detail} (${failedAs}, an error that this version of pyro does not know)`,
  next: [words("Update pyro on this computer: the newer version says more of it")]
}) {}

/** The daemon cannot serve its page. */
export class PageUnavailable extends ContractError<PageUnavailable>()("PageUnavailable", {
  detail: Schema.String
}, {
  fact: ({ detail }) => `the page cannot be opened: ${detail}`,
  next: [
    call("Choose another port", "ui", {}, "port"),
    call("A command shows the workspaces, too", "workspace.list")
  ]
}) {}

/** No context has this name. */
export class ContextUnknown extends ContractError<ContextUnknown>()("ContextUnknown", {
  context: Schema.String,
  /** Names of all contexts. */
  known: Schema.Array(Schema.String)
}, {
  fact: ({ context, known }) =>
    `there is no context ${context}${known.length === 0 ? "" : `; there are ${known.join(", ")}`}`,
  next: ({ context }) => [command("Add it", `pyro context add ${typed([context])} ssh://USER@HOST`)]
}) {}

/** The machine of a context cannot be reached, or has no pyro. */
export class ContextUnreachable extends ContractError<ContextUnreachable>()("ContextUnreachable", {
  context: Schema.String,
  url: Schema.String,
  detail: Schema.String
}, {
  fact: ({ context, detail, url }) => `context ${context} (${url}): ${detail}`,
  next: ({ context }) => [command("Look at its address", `pyro context show ${typed([context])}`)]
}) {}

/** This computer runs no microVMs, and no context names another one. */
export class NoMicroVms extends ContractError<NoMicroVms>()("NoMicroVms", {
  /** System and processor, as Node names them. */
  computer: Schema.String
}, {
  fact: ({ computer }) =>
    `this computer (${computer}) runs no microVMs: pyro runs them on Linux on x86-64, and here it uses another machine`,
  next: [
    command("Name a machine that you reach by ssh", "pyro context add NAME ssh://USER@HOST"),
    command("And use it from now on", "pyro context use NAME"),
    words("Other machines", "docs/remote.md")
  ]
}) {}

/** The token of a client of another machine does not reach so far. Nothing was done. */
export class NotPermitted extends ContractError<NotPermitted>()("NotPermitted", {
  /** Name of the operation. */
  operation: Schema.String,
  /** Role of the token. */
  role: Schema.String,
  detail: Schema.String
}, {
  fact: ({ detail, operation, role }) => `${operation} is refused for a token of the role ${role}: ${detail}`,
  next: [words("Ask the owner of the server")]
}) {}

/** The tenant of a client of another machine has as much as the server's owner grants. Nothing was done. */
export class QuotaExceeded extends ContractError<QuotaExceeded>()("QuotaExceeded", {
  tenant: Schema.String,
  /** What is limited. */
  quota: Schema.Literals(["workspaces", "memory_mib", "vcpus", "disk_mib", "commands"]),
  limit: Schema.Int,
  /** What the tenant has, and what the request asks for beside it. */
  used: Schema.Int,
  asked: Schema.Int
}, {
  fact: ({ asked, limit, quota, tenant, used }) =>
    `tenant ${tenant} has a quota of ${limit} for ${quota}: it uses ${used}, and the request asks for ${asked} more`,
  next: ({ quota }) => [
    quota === "commands"
      ? words("Wait for a command to end, or cancel one")
      : call("Delete workspaces that you do not need. List them", "workspace.list"),
    words("Or ask the owner of the server for more")
  ]
}) {}

export const daemonErrors = [
  DaemonUnavailable,
  DaemonMismatch,
  MessageUnreadable,
  UnknownFailure,
  PageUnavailable,
  ContextUnknown,
  ContextUnreachable,
  NoMicroVms,
  NotPermitted,
  QuotaExceeded
] as const
