import type { HostName, HostScope } from "../../contract/rows/agent-host.ts"
import type { AgentHost, Place } from "../hosts/agent-host.ts"

export interface Check {
  readonly check: string
  readonly status: "ok" | "warning" | "failed"
  readonly detail: string
  /** The next step. */
  readonly fix?: string
}

export interface DoctorOptions {
  readonly host: HostName
  readonly place: Place
  /** Directory in which the host would start the server. */
  readonly cwd: string
  /** `pyro`, or the path of this program. */
  readonly own: string
  /** Whether the place's project is a directory that can be one. */
  readonly hasProject: boolean
}

export const ok = (check: string, detail: string): Check => ({ check, status: "ok", detail })

/** The command of `pyro host` that is the next step. */
export const fixFor = (command: "connect" | "repair" | "disconnect", host: AgentHost, scope: HostScope) =>
  `pyro host ${command} ${host.name}${scope === "project" ? " --scope project" : ""}`
