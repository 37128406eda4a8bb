import { Cause, Effect, Exit, Option } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import { named } from "../../contract/text/names.ts"
import { snakeCase } from "../../contract/text/snake.ts"
import { callerProject } from "../../contract/wire/caller-project.ts"
import { clockReader } from "../../system/waits/time.ts"

/** A request on a workspace, remembered so that its sender can look it up later. */
export interface RequestRecord {
  readonly number: number
  readonly at: string
  /** Name of the operation, without `workspace.`. */
  readonly operation: string
  /** `model`: a client that is bound to a project, as MCP servers are. */
  readonly by: "model" | "person"
  /** Name and version of the MCP client in its own words. Absent if the client sent none. */
  readonly client?: string
  /** Short arguments by their JSON names. */
  readonly given: Readonly<Record<string, unknown>>
  /** `running`, `ok`, `interrupted`, or the code of the error. */
  readonly outcome: string
  readonly message?: string
  readonly durationMs?: number
}

/** Maximum requests of a workspace that this process remembers. */
const MOST = 500

/** Maximum characters of an argument, and of an error. */
const CHARACTERS = 200

/** Requests on one workspace since the start of this process. In memory alone: events and the journal have what must last. */
export class RequestLog {
  #kept: Array<RequestRecord> = []
  #number = 0
  #changes = 0

  /** Number of changes. A watcher compares it with an earlier one. */
  get changes(): number {
    return this.#changes
  }

  get all(): ReadonlyArray<RequestRecord> {
    return this.#kept
  }

  begin(request: Omit<RequestRecord, "number" | "outcome">): number {
    this.#changes++
    this.#kept.push({ ...request, number: ++this.#number, outcome: "running" })
    if (this.#kept.length > MOST) this.#kept.shift()
    return this.#number
  }

  end(number: number, how: Pick<RequestRecord, "durationMs" | "message" | "outcome">) {
    this.#changes++
    this.#kept = this.#kept.map((one) => one.number === number ? { ...one, ...how } : one)
  }
}

/** Contents, details of their form, and fields that may have secrets or are shown elsewhere. */
const LEFT_OUT = new Set([
  "bytes",
  "content",
  "encoding",
  "env",
  "expectedVersion",
  "mode",
  "newText",
  "oldText",
  "patch",
  "patchBytes",
  "registryAuth",
  "secretCommands",
  "secretEnv",
  "secretHttp",
  "secretMount",
  "secrets",
  "text",
  "user",
  "workspace"
])

const cut = (text: string) => text.length > CHARACTERS ? `${text.slice(0, CHARACTERS)}…` : text

const isText = (value: unknown): value is string => typeof value === "string" && value !== ""

/** The arguments that say what was asked: texts and lists of texts. Numbers and switches are defaults as a rule. */
const givenOf = (payload: unknown): RequestRecord["given"] =>
  named(
    Object.entries(payload as object).flatMap(
      ([field, value]: [string, unknown]): Array<readonly [string, unknown]> => {
        if (LEFT_OUT.has(field)) return []
        if (isText(value)) return [[snakeCase(field), cut(value)] as const]
        const texts = Array.isArray(value) ? value.filter(isText) : []
        return texts.length === 0 ? [] : [[snakeCase(field), texts.slice(0, 20).map(cut)] as const]
      }
    )
  )

/** Commands are in the journal. Keys and sizes of a terminal are not listed, and their shell is. */
const UNSEEN = new Set([
  "workspace.exec",
  "workspace.resize",
  "workspace.shell.attach",
  "workspace.shell.resize",
  "workspace.stdin"
])

interface Row {
  readonly name: string
  readonly annotations: { readonly readOnly: boolean }
}

const outcomeOf = (exit: Exit.Exit<unknown, PyroError>) => {
  if (Exit.isSuccess(exit)) return { outcome: "ok" }
  const failure = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
  if (failure !== undefined) return { outcome: failure.code, message: cut(failure.fact) }
  return { outcome: Cause.hasInterrupts(exit.cause) ? "interrupted" : "defect" }
}

/** Whether the log has requests of an operation. */
export const isSeen = ({ name }: Pick<Row, "name">) => !UNSEEN.has(name)

/** Remembers a request until its end: each of a model, and those of people and programs that change something. */
export const remembered =
  ({ annotations, name }: Row, payload: unknown, requests: RequestLog) =>
  <A, E extends PyroError, R>(work: Effect.Effect<A, E, R>) =>
    Effect.flatMap(callerProject, (caller) => {
      const by = caller === undefined ? "person" : "model"
      if (by === "person" && (annotations.readOnly || name === "workspace.shell.write")) return work
      return Effect.flatMap(clockReader, ({ monotonicMs, nowMs }) => {
        const begunMs = monotonicMs()
        const number = requests.begin({
          at: new Date(nowMs()).toISOString(),
          operation: name.replace(/^workspace\./, ""),
          by,
          ...(caller?.client === undefined ? {} : { client: caller.client }),
          given: givenOf(payload)
        })
        return Effect.onExit(
          work,
          (exit) =>
            Effect.sync(() =>
              requests.end(number, { ...outcomeOf(exit), durationMs: Math.round(monotonicMs() - begunMs) })
            )
        )
      })
    })
