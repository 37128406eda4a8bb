import { Schema } from "effect"
import { optional } from "../text/fields.ts"
import { ContractError } from "./contract-error.ts"
import { call, words } from "./next-step.ts"

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

export const daemonErrors = [DaemonUnavailable, DaemonMismatch, MessageUnreadable, PageUnavailable] as const
