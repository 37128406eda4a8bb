import { Cause, Effect, Exit, Redacted, Result, Schema } from "effect"
import { ChannelFailed, type InvalidRequest, type PyroError } from "../contract/errors/errors.ts"
import { halfCharacterIn } from "../contract/errors/half-character.ts"
import { forEachEvent, type StreamingCall } from "../contract/rows/event-batches.ts"
import type { Notice } from "../contract/rows/notice.ts"
import type { Folding } from "../contract/rows/operation.ts"
import { payloadFields } from "../contract/rows/payload-fields.ts"
import { callOf, type PyroService } from "../contract/rows/Pyro.ts"
import { named } from "../contract/text/names.ts"
import { readableText, readableValue } from "../contract/text/printable.ts"
import { callerProject } from "../contract/wire/caller-project.ts"
import { callerOf, type Project } from "../sdk/project.ts"
import { type Argument, type Fields, given, payloadOf } from "./arguments.ts"
import { cutTexts, shortened, textHalf } from "./bounded.ts"
import { errorText } from "./error-text.ts"
import { completed } from "./json-schema.ts"
import { toldText } from "./next-text.ts"
import type { Pending } from "./pending.ts"
import type { ToolRow } from "./profile.ts"
import { pullAllowedImage } from "./pull-image.ts"
import type { Done, Image, Request } from "./request.ts"
import type { ProfileTool } from "./tool-table.ts"
import { noticeText, plainText } from "./words.ts"

/** A call with the server's environment, if a model names none. */
const withEnvironment = (args: ReadonlyArray<Argument>, raw: Fields, { environment }: Project): Fields =>
  environment !== undefined && args.some(({ field }) => field === "environment")
    ? { ...raw, environment: raw["environment"] ?? environment }
    : raw

const hasField = ({ payload }: ToolRow, field: string) => payloadFields(payload()).some(({ name }) => name === field)

/** Whether an operation makes a /workspace. */
const makesWorkspace = (row: ToolRow) => hasField(row, "seed_path")

/** A payload with the server's owner of /workspace, if a model names none. */
const withWorkspaceUser = (fields: Fields, row: ToolRow, { workspaceUser }: Project): Fields =>
  workspaceUser !== undefined && makesWorkspace(row) ? { workspace_user: workspaceUser, ...fields } : fields

/** Fields of a new workspace that mean something else for a single command. */
const OF_WORKSPACE: ReadonlySet<string> = new Set(["env", "cwd"])

/** A payload with the values of the project's file for new workspaces. */
const withCreated = (fields: Fields, row: ToolRow, { created = {} }: Project): Fields =>
  makesWorkspace(row)
    ? named([
      ...Object.entries(created).filter(([field]) =>
        hasField(row, field) && (row.name === "workspace.create" || !OF_WORKSPACE.has(field))
      ),
      ...Object.entries(fields)
    ])
    : fields

/** A payload with the server's git history, if a model names none. A one-shot VM has no history. */
const withGit = (fields: Fields, row: ToolRow, { git }: Project): Fields =>
  git !== undefined && hasField(row, "git") ? { git, ...fields } : fields

/** A payload with the server's secrets. A model can name none. */
const withSecrets = (
  fields: Fields,
  row: ToolRow,
  { secretCommands = [], secretHttp = [], secrets = {} }: Project
): Fields =>
  !makesWorkspace(row) || Object.keys(secrets).length === 0 ? fields : {
    ...fields,
    secrets: named(Object.entries(secrets).map(([key, value]) => [key, Redacted.value(value)] as const)),
    secret_http: secretHttp,
    secret_commands: secretCommands
  }

/** Fields that name the directory whose files are copied. */
const SOURCES = ["seed_path", "source_path"]

/**
 * A payload with the server's ignored files, beside those that a model names. They belong to the bound directory, and to no other
 * directory.
 */
const withIgnored = (fields: Fields, { includeIgnored = [], path }: Project): Fields => {
  if (includeIgnored.length === 0 || !SOURCES.some((field) => path !== undefined && fields[field] === path)) {
    return fields
  }
  const named = fields["include_ignored"] ?? []
  return Array.isArray(named) ? { ...fields, include_ignored: [...new Set([...includeIgnored, ...named])] } : fields
}

/** Context of a call. */
export interface CallContext {
  readonly pyro: Effect.Effect<PyroService, PyroError>
  readonly project: Project
  readonly report: (message: string) => void
  /** Unfinished work of earlier calls. */
  readonly pending: Pending
  /** Ends at the client's own time-out. @default never */
  readonly timedOut?: Effect.Effect<void>
  /** Name and version of the client in its own words, if it told them. */
  readonly client?: string | undefined
}

/**
 * The result of a call for the client. Each half is complete by itself, because no host shows both. Texts of both have escapes in place of
 * invisible characters.
 */
export interface CallResult {
  readonly content: [{ readonly type: "text"; readonly text: string }, ...ReadonlyArray<ImageBlock>]
  readonly structuredContent?: Readonly<Record<string, unknown>>
  readonly isError?: true
}

interface ImageBlock {
  readonly type: "image"
  readonly mimeType: string
  /** In base64. */
  readonly data: string
}

/** Calls a tool. Every failure is a result for a model, also a defect. An interruption has no answer. */
export const callTool = (
  tool: ProfileTool,
  raw: Readonly<Record<string, unknown>>,
  context: CallContext
): Effect.Effect<CallResult> =>
  Effect.gen(function*() {
    const payload = yield* Effect.fromResult(payloadFor(tool, raw, context.project))
    const pyro = yield* context.pyro
    const request: Request<never> = {
      ...context,
      pyro,
      payload: payload.value as never,
      own: payload.own,
      told: (notice) => toldText(notice, tool),
      has: (name) => tool.there.has(name),
      underWay: () => {},
      timedOut: context.timedOut ?? Effect.never
    }
    const own = tool.tool.perform ?? performCall(tool)
    const perform = (asked: Request<never>) =>
      makesWorkspace(tool.row) ? Effect.andThen(pullAllowedImage(asked), own(asked)) : own(asked)
    const why = tool.tool.continues?.(context.project)
    const done = why !== undefined
      ? yield* context.pending.work(
        keyOf(tool, payload),
        context.report,
        (report, underWay) => perform({ ...request, report, underWay })
      )
      : Result.succeed(yield* perform(request))
    if (Result.isFailure(done)) return pendingResult(tool, done.failure, why ?? "")
    const { alone, result, text } = done.success
    if (alone !== undefined) return textResult(textHalf(text), alone.image)
    const encoded = Schema.encodeUnknownSync(tool.result)(result)
    const structured = readableValue(completed(encoded, tool.resultSchema)) as Record<string, unknown>
    if (tool.hasLists) structured["omitted"] = shortened(structured)
    cutTexts(structured)
    return structuredResult(textHalf(text), structured)
  }).pipe(
    Effect.provideService(callerProject, callerOf(context.project, context.client)),
    Effect.exit,
    Effect.flatMap((exit): Effect.Effect<CallResult> => {
      if (Exit.isSuccess(exit)) return Effect.succeed(exit.value)
      const failed: CallResult = {
        content: [{ type: "text", text: readableText(errorText(exit.cause, { ...tool, ...context })) }],
        isError: true
      }
      return Cause.hasDies(exit.cause)
        ? Effect.as(Effect.logError(`${tool.listed.name} is defective`, exit.cause), failed)
        : Effect.succeed(failed)
    })
  )

/** Equal calls have equal keys. */
const keyOf = ({ row }: ProfileTool, { own, value }: { readonly value: unknown; readonly own: Fields }) =>
  JSON.stringify([row.name, value, Object.entries(own).sort()])

/** Result of an unfinished call. It is an error: hosts refuse a success without the fields of the output schema. */
const pendingResult = ({ listed: { name } }: ProfileTool, last: string, why: string): CallResult => ({
  content: [{
    type: "text",
    text: textHalf(
      `not_ready_yet: ${name} takes longer than this call waits, and goes on: ${last}\n` +
        `hint: call ${name} again with the same arguments; it joins this work and starts nothing new. ${why}`
    )
  }],
  isError: true
})

const textResult = (text: string, image: Image | undefined): CallResult => ({
  content: [{ type: "text", text }, ...(image === undefined ? [] : [imageBlock(image)])]
})

const imageBlock = ({ bytes, mediaType }: Image): ImageBlock => ({
  type: "image",
  mimeType: mediaType,
  data: Buffer.from(bytes).toString("base64")
})

const structuredResult = (text: string, structuredContent: Readonly<Record<string, unknown>>): CallResult => ({
  content: [{ type: "text", text }],
  structuredContent
})

/** An empty list asks for nothing. */
const isGiven = (value: unknown) => value !== undefined && !(Array.isArray(value) && value.length === 0)

/** The payload of a call: its arguments with checked host paths, and defaults of the project. */
const payloadFor = (
  { args, filled: ofMode, row, tool }: ProfileTool,
  raw: Readonly<Record<string, unknown>>,
  project: Project
): Result.Result<{ readonly value: unknown; readonly own: Fields }, InvalidRequest> =>
  Result.gen(function*() {
    const { fields, own } = yield* given(args, withEnvironment(args, raw, project))
    const isFilled = ofMode !== undefined && !isGiven(fields[ofMode.unless])
    const judged = {
      own,
      fields: { ...yield* hostPaths(args, fields, project), ...(isFilled ? ofMode.fields : {}) }
    }
    const filled = tool.fill === undefined ? judged.fields : yield* tool.fill(judged, project)
    const whole = withSecrets(
      withCreated(withGit(withWorkspaceUser(withIgnored(filled, project), row, project), row, project), row, project),
      row,
      project
    )
    const value = yield* payloadOf(row, args, whole)
    const half = halfCharacterIn(
      named(args.map(({ field, name }) => [name, field in own ? own[field] : fields[field]] as const))
    )
    return half === undefined ? { value, own } : yield* Result.fail(half)
  })

/** Resolves paths of the host. Fails for a path that a model may not name. */
const hostPaths = (
  args: ReadonlyArray<Argument>,
  fields: Fields,
  project: Project
): Result.Result<Fields, InvalidRequest> =>
  Result.gen(function*() {
    const judged = named(Object.entries(fields))
    for (const { field, hostPath, name } of args) {
      const named = fields[field]
      if (hostPath === undefined || typeof named !== "string") continue
      judged[field] = yield* hostPath === "read" ? project.source(name, named) : project.destination(name, named)
    }
    return judged
  })

type AnyEvents = StreamingCall<{ readonly _tag: string }, unknown>

/** Calls the operation, folds its events, and returns the result with a text. */
const performCall = (profileTool: ProfileTool) => (request: Request<never>): Effect.Effect<Done<unknown>, PyroError> =>
  Effect.gen(function*() {
    const { listed, result, resultSchema, row, tool } = profileTool
    const call = callOf(request.pyro, row)
    const came = row.kind === "unary"
      ? yield* call(request.payload) as Effect.Effect<unknown, PyroError>
      : yield* folded(row.fold as (payload: unknown) => Folding<unknown, unknown>, request, call as AnyEvents)
    const text = tool.text?.(came as never, request) ??
      plainText(listed.title, completed(Schema.encodeUnknownSync(result)(came), resultSchema))
    return { result: came, text }
  })

const folded = (
  fold: (payload: unknown) => Folding<unknown, unknown>,
  { payload, report, told }: Request<never>,
  call: AnyEvents
): Effect.Effect<unknown, PyroError> =>
  Effect.gen(function*() {
    const folding = fold(payload)
    yield* forEachEvent(call, payload, undefined, (event) =>
      Effect.sync(() => {
        if (event._tag !== "Notice") return folding.add(event)
        const notice = event as Notice
        const { next: _, ...rest } = notice
        const translated = { ...rest, message: told(notice) }
        if (notice.level !== "output") report(noticeText(translated))
        folding.add(translated)
      }))
    return folding.result() ?? (yield* new ChannelFailed({ detail: "the stream of events ended without its last" }))
  })
