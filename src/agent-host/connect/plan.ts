import { Effect } from "effect"
import { HostFileUnusable } from "../../contract/errors/errors.ts"
import { named } from "../../contract/text/names.ts"
import { typed } from "../../contract/text/printable.ts"
import { isBeneath, realPath, realPlace } from "../../system/files/host-path.ts"
import { readKnown } from "../../system/files/replace.ts"
import {
  at,
  type Change,
  changed,
  type FormatName,
  isEqual,
  isIn,
  isTable,
  type Json,
  type Path
} from "../format/document.ts"
import { read } from "../format/format.ts"
import {
  type AgentHost,
  type Approve,
  ENTRY,
  type HostScope,
  isHandedOn,
  type Place,
  type Server,
  type Tools,
  variablesOf
} from "../hosts/agent-host.ts"
import { skillPlan, type SkillWork } from "../skill/changes.ts"
import { changeOf, ownChange, pending } from "./changes.ts"
import {
  type Document,
  type FileChange,
  type HostFileRecord,
  readRecord,
  type RecordChange,
  type Replaced
} from "./host-files.ts"

/** The changes of a command. */
interface Plan {
  readonly files: ReadonlyArray<FileChange>
  /** Keys of an existing entry that would change. */
  readonly differing: ReadonlyArray<string>
  /** Path of a skill that a person wrote or changed, and that would change. */
  readonly differingSkill?: string | undefined
  readonly notes: ReadonlyArray<string>
  /** Changes of records alone, after the files. */
  readonly records: ReadonlyArray<RecordChange>
}

/** The wanted state of pyro in a host. */
export interface Request {
  readonly host: AgentHost
  readonly scope: HostScope
  readonly place: Place
  readonly approve: Approve
  readonly tools: Tools
}

/** Reads a configuration file. A missing file is an empty document. */
export const readDocument = (host: AgentHost, path: string, format: FormatName) =>
  Effect.gen(function*() {
    const refuse = (detail: string) => new HostFileUnusable({ host: host.name, path, detail })
    const known = yield* Effect.mapError(readKnown(path), ({ detail }) => refuse(detail))
    const value = yield* Effect.mapError(Effect.fromResult(read(format, known.text ?? "")), refuse)
    return { known, format, value } satisfies Document
  })

export const entryPath = ({ servers }: AgentHost): Path => [...servers, ENTRY]

export const approvalsOf = ({ approve, host, place, scope, tools }: Request) => {
  const config = host.config(scope, place)
  return config === undefined
    ? { files: [] }
    : host.approvals({ approve, scope, place, tools, config, entry: entryPath(host) })
}

/** A server with the variables of its present entry. Variables that only pass on a variable of the host follow from the server's options. */
const withKeptVariables = (server: Server, found: unknown): Server => {
  const kept = Object.entries(variablesOf(found))
  return server.env !== undefined || kept.length === 0
    ? server
    : { ...server, env: named(kept.filter((one) => !isHandedOn(one))) }
}

/** Keys that do not belong in pyro's entry: keys for an address, and all keys of another program's entry. */
const foreignKeys = ({ host }: Request, found: unknown, own: ReadonlyArray<string>): ReadonlyArray<string> => {
  const others = isTable(found) ? Object.keys(found).filter((key) => !own.includes(key)) : []
  return isServe(host, found) ? others.filter((key) => ADDRESS.test(key)) : others
}

const isServe = (host: AgentHost, found: unknown) => {
  const words = host.commandOf(found) ?? []
  return words[1] === "mcp" && words[2] === "serve"
}

/** Changes of the entry's own keys. A new entry is one change, which includes the approvals inside the entry. */
const entryChanges = (request: Request, server: Server, value: unknown, approvals: ReadonlyArray<Change>) => {
  const path = entryPath(request.host)
  const found = at(value, path)
  const kept = isServe(request.host, found) ? found : undefined
  const keys = Object.entries(request.host.entry(withKeptVariables(server, kept), request.scope))
  if (isTable(found)) {
    const inEntry = approvalsOf(request).files.flatMap(({ changes }) => changes)
      .flatMap((change) => isIn(change.path, path) ? change.path.slice(path.length, path.length + 1) : [])
    const foreign = foreignKeys(request, found, [...keys.map(([key]) => key), ...inEntry])
    return [
      ...keys.map(([key, wanted]): Change => ({ _tag: "set", path: [...path, key], value: wanted })),
      ...foreign.map((key): Change => ({ _tag: "remove", path: [...path, key] }))
    ]
  }
  const sets = keys.map(([key, wanted]): Change => ({ _tag: "set", path: [...path, key], value: wanted }))
  const whole = [...sets, ...pending(undefined, approvals.filter(({ path: one }) => isIn(one, path)))]
    .reduce<unknown>((document, change) => changed(document, change), undefined)
  return [{ _tag: "set", path, value: at(whole, path) } as Change]
}

interface PlanOptions {
  /** Leaves the approvals as they are. */
  readonly keepApprovals?: boolean
  /** Leaves the entry as it is. */
  readonly onlyApprovals?: boolean
  /** Names of other entries to remove. */
  readonly stale?: ReadonlyArray<string>
  /** What to do with pyro's skill. Absent: nothing. */
  readonly skill?: SkillWork | undefined
}

/** Changes by `disconnect` in special cases: another program's entry stays, and an entry that pyro replaced comes back. */
const takenBack = (host: AgentHost, path: Path, found: unknown, record: HostFileRecord | undefined) =>
  found === undefined ? undefined : isForeign(host, found) ? [] : restoring(path, found, record)

/** Plans the entry and the approvals of a host. Without a server, plans their removal. */
export const plan = (
  request: Request,
  server: Server | undefined,
  options: PlanOptions = {}
): Effect.Effect<Plan, HostFileUnusable> =>
  Effect.gen(function*() {
    const { host, place, scope } = request
    const config = host.config(scope, place)
    if (config === undefined) return { files: [], differing: [], notes: [], records: [] }
    const path = entryPath(host)
    const approvals = options.keepApprovals === true ? { files: [] } : approvalsOf(request)
    const document = yield* readDocument(host, config.path, config.format)
    const record = yield* readRecord(place.state, document.known.real)
    const found = at(document.value, path)
    const back = server === undefined ? takenBack(host, path, found, record) : undefined
    const inConfig = approvals.files.flatMap((one) => one.path === config.path ? one.changes : [])
      .filter((change) => back === undefined || !isIn(change.path, path))
    const stale = (options.stale ?? []).map((name): Change => ({ _tag: "remove", path: [...host.servers, name] }))
    const wanted = options.onlyApprovals === true
      ? []
      : server === undefined
      ? back ?? [{ _tag: "remove", path } as const]
      : entryChanges(request, server, document.value, inConfig)
    const differing = server === undefined || found === undefined
      ? []
      : pending(document.value, wanted).map((change) => change.path.at(-1)!)
    const target = { host, state: place.state, isLast: server === undefined }
    const replaced = server === undefined ? undefined : replacedBy(host, path, found, record)
    const files = [yield* changeOf(target, document, [...stale, ...wanted, ...inConfig], { replaced })]
    for (const other of approvals.files.filter((one) => one.path !== config.path)) {
      files.push(yield* changeOf(target, yield* readDocument(host, other.path, other.format), other.changes))
    }
    const { own } = approvals
    const notes = [
      ...server === undefined ? [] : approvals.notes ?? [],
      ...(back?.length === 0 ? [foreignNote(host, config.path, found)] : [])
    ]
    if (own !== undefined) {
      const known = yield* Effect.mapError(readKnown(own.path), ({ detail }) =>
        new HostFileUnusable({ host: host.name, path: own.path, detail }))
      files.push(yield* ownChange(place.state, known, own.text))
    }
    const skill = options.skill === undefined ? undefined : yield* skillPlan(request, options.skill)
    files.push(...skill?.files ?? [])
    notes.push(...skill?.notes ?? [])
    const left = files.filter(({ after, known }) =>
      after !== known.text
    )
    const outside = scope === "project" ? left.find(({ known }) => leadsOut(known.real, place.project)) : undefined
    if (outside === undefined) {
      return { files: left, differing, differingSkill: skill?.differing, notes, records: skill?.records ?? [] }
    }
    return yield* new HostFileUnusable({
      host: host.name,
      path: outside.known.path,
      detail: `a symbolic link leads out of the project, to ${outside.known.real}`
    })
  })

/** A stranger may have made a project's links: a link may lead to a file of the home directory. */
const leadsOut = (file: string, project: string) =>
  !isBeneath(realPath(file) ?? realPlace(file), realPath(project) ?? project)

/** Keys of an entry for a server at an address. A host refuses an entry with both an address and a command. */
const ADDRESS = /^(url|uri|http_?url|server_?url|(env_)?(http_)?headers|bearer_token(_env_var)?|oauth.*|auth)$/i

/** Whether an entry with pyro's name is for another program, or for a server at an address. */
const isForeign = (host: AgentHost, entry: unknown): boolean => {
  const words = host.commandOf(entry)
  if (words !== undefined) return !words.some((word, index) => word === "mcp" && words[index + 1] === "serve")
  return isTable(entry) && Object.keys(entry).some((key) => ADDRESS.test(key))
}

/** The foreign entry that a record must keep: the entry at the path now, or the one before pyro's first change. */
const replacedBy = (
  host: AgentHost,
  path: Path,
  found: unknown,
  record: HostFileRecord | undefined
): Replaced | undefined => {
  if (found === undefined) return undefined
  if (!isForeign(host, found)) return record?.replaced
  // JSON would turn a date of TOML into a string.
  return isEqual(JSON.parse(JSON.stringify(found)), found) ? { path, value: found } : undefined
}

/** Changes that restore the entry that pyro replaced. Undefined if pyro replaced none. */
const restoring = (
  path: Path,
  found: unknown,
  record: HostFileRecord | undefined
): ReadonlyArray<Change> | undefined => {
  const { replaced } = record ?? {}
  if (replaced === undefined || !isEqual(replaced.path, path)) return undefined
  const { value } = replaced
  if (!isTable(value) || !isTable(found)) return [{ _tag: "set", path, value: value as Json }]
  return [
    ...Object.entries(value).map(([key, one]): Change => ({ _tag: "set", path: [...path, key], value: one })),
    ...Object.keys(found).filter((key) => at(value, [key]) === undefined)
      .map((key): Change => ({ _tag: "remove", path: [...path, key] }))
  ]
}

/** The entry of another program has pyro's name. */
const foreignNote = (host: AgentHost, file: string, entry: unknown) => {
  const words = host.commandOf(entry)
  const purpose = words === undefined ? "for a server at an address" : `for another program (${typed(words)})`
  return `the entry ${ENTRY} in ${file} is ${purpose}, and stays`
}
