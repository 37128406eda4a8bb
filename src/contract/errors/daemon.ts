import { Schema } from "effect"
import { optional } from "../text/fields.ts"
import { ContractError } from "./contract-error.ts"

/** The daemon, which has the workspaces, does not answer or does not start. */
export class DaemonUnavailable extends ContractError<DaemonUnavailable>()("DaemonUnavailable", {
  detail: Schema.String,
  /** The program has closed the client of the call. Absent for others. */
  closed: optional(Schema.Literal(true))
}, {
  fact: ({ closed, detail }) => closed === true ? detail : `pyro's workspaces cannot be reached: ${detail}`,
  next: ({ closed }) =>
    closed === true ? "Make another client, and close it after the last call" : "Show its log: pyro daemon logs",
  steps: "call again once; if that fails, ask the user to run: pyro daemon logs"
}) {}

/** A daemon of another version owns the workspaces. */
export class DaemonMismatch extends ContractError<DaemonMismatch>()("DaemonMismatch", {
  running: Schema.String,
  own: Schema.String,
  detail: Schema.String
}, {
  fact: ({ running, own, detail }) => `the daemon is pyro ${running}, and this is pyro ${own}: ${detail}`,
  next: "Use that version, or replace the daemon (running commands go on): pyro daemon stop",
  steps: "only the user can fix this: pyro daemon stop"
}) {}

/** A message between a program and its daemon that its receiver cannot read. Both are one build, so this is a defect of pyro. */
export class MessageUnreadable extends ContractError<MessageUnreadable>()("MessageUnreadable", {
  /** Name of the operation. */
  operation: Schema.String,
  detail: Schema.String
}, {
  fact: ({ operation, detail }) => `${operation}: a message between pyro and its daemon cannot be read: ${detail}`,
  next:
    "Look at what is there, and ask again; if that fails, replace the daemon (running commands go on): pyro daemon stop",
  steps: "look at what is there and call again once; if that fails, ask the user to run: pyro daemon stop"
}) {}

/** The daemon cannot serve its page. */
export class PageUnavailable extends ContractError<PageUnavailable>()("PageUnavailable", {
  detail: Schema.String
}, {
  fact: ({ detail }) => `the page cannot be opened: ${detail}`,
  next: "For another port: pyro ui --port PORT. The commands show the same: pyro list, pyro summary",
  steps: "only the user can fix this"
}) {}

export const daemonErrors = [DaemonUnavailable, DaemonMismatch, MessageUnreadable, PageUnavailable] as const
