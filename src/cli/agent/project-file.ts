import { Effect } from "effect"
import { named } from "../../contract/text/names.ts"
import { note } from "../output/print.ts"
import type { AgentPayload } from "../rows/agent.ts"
import { projectHere } from "./project-here.ts"

/** Values of the project's file for a new workspace of an agent. */
export interface FromFile {
  /** Environment to add the agent to. */
  readonly environment?: string
  readonly allowHosts: ReadonlyArray<string>
  /** Fields of the request for the workspace, by their JSON names. */
  readonly request: Readonly<Record<string, unknown>>
}

const NOTHING: FromFile = { allowHosts: [], request: {} }

/** Reads the project's file for a new workspace. What the person typed (`raw`) wins, and an agent has no less memory than without the file. */
export const fromFile = (payload: AgentPayload, raw: Readonly<Record<string, unknown>>) =>
  Effect.gen(function*() {
    if (payload.workspace !== undefined) return NOTHING
    const directory = payload.seedPath ?? (yield* projectHere)
    const { defaultsOf } = yield* Effect.promise(() => import("../../project/defaults.ts"))
    const { defaults, note: unused } = yield* defaultsOf(directory)
    if (unused !== undefined) yield* note(`pyro: ${unused}\n`)
    const { allowHosts = [], created = {}, environment, git, includeIgnored } = defaults
    const least = (name: string, size: number) => Math.max(size, Number(created[name] ?? 0))
    const request = {
      ...created,
      memory_mib: least("memory_mib", payload.memoryMib),
      vcpu_count: least("vcpu_count", payload.vcpuCount),
      ...(git === undefined ? {} : { git }),
      ...(includeIgnored === undefined ? {} : { include_ignored: includeIgnored })
    }
    const found: FromFile = {
      ...(environment === undefined ? {} : { environment }),
      allowHosts,
      request: named(Object.entries(request).filter(([name]) => raw[name] === undefined))
    }
    return found
  })
