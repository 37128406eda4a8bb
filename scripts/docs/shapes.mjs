/**
 * The types of src/sdk/promises/shapes.ts: requests and results of the handle, from the table of operations. They import no package, so that
 * the declarations of `pyro/promises` need no other package.
 */
export const shapes = (contract) => {
  const rows = new Map(contract.operations.map((row) => [row.name, row]))
  const { toEncoded, toType } = contract.SchemaAST
  const structs = results.map(({ adds, at = (ast) => ast, doc, from = "result", name, of }) => {
    const fields = fieldsOf(contract, at(toType(rows.get(of)[from]().ast)))
    return { adds, doc, name, fields }
  })
  // A result within another one has the name that it has by itself.
  const known = {
    ...contract,
    nameOf: new Map(structs.map(({ fields, name }) => [spelledOut(contract, fields), name]))
  }
  return [
    "// Generated from src/contract by: node scripts/docs.mjs\n",
    "import type { NextStep } from \"./error-class.ts\"\n",
    ...structs.map(({ adds, doc, fields, name }) => {
      const inherited = new Set(structs.find((one) => one.name === adds)?.fields.map((field) => field.name))
      const own = fields.filter((field) => !inherited.has(field.name))
      return declaration(known, adds === undefined ? name : `${name} extends ${adds}`, doc, own)
    }),
    ...requests.map(({ doc, name, of, own = {}, without = [] }) =>
      declaration(
        contract,
        name,
        doc,
        fieldsOf(contract, toType(rows.get(of).payload().ast), toEncoded(rows.get(of).payload().ast))
          .map(({ name, ...field }) => ({ ...field, name: camelCase(name) }))
          .filter(({ name }) => name !== "workspace" && !without.includes(name))
          .map((field) => own[field.name] ?? ofHandle[field.name] ?? field)
          .map((field) => ({ ...field, orUndefined: field.optional }))
      )
    )
  ].join("\n")
}

const field = (name) => (ast) => ast.propertySignatures.find((one) => one.name === name).type
const hasField = (name) => (ast) => ast.propertySignatures.some((one) => one.name === name)
const itemOf = (name) => (ast) => field(name)(ast).rest[0]

/** Results of the handle's methods. */
const results = [
  { name: "WorkspaceInfo", of: "workspace.status", doc: "A workspace, as `pyro status` shows it." },
  { name: "CommandInfo", of: "workspace.logs", at: itemOf("commands"), doc: "A command of a workspace." },
  {
    name: "Warning",
    of: "workspace.rewind",
    at: itemOf("warnings"),
    doc: "What a caller should know of a call that succeeded."
  },
  { name: "FileList", of: "workspace.file.list", doc: "A listing of a directory." },
  { name: "FileEntry", of: "workspace.file.list", at: itemOf("entries"), doc: "A file in a listing." },
  { name: "FileWritten", of: "workspace.file.write", doc: "A file that was written." },
  { name: "FileEdited", of: "workspace.file.edit", doc: "A file whose text was replaced." },
  { name: "FileCopied", of: "workspace.file.copy", doc: "A copy of a file or a directory." },
  {
    name: "FileChange",
    of: "workspace.file.watch",
    from: "event",
    at: ({ types }) => itemOf("changes")(types.find(hasField("changes"))),
    doc: "A change that a watch tells."
  },
  { name: "ShellInfo", of: "workspace.shell.open", doc: "A shell of a workspace." },
  { name: "ShellScreen", of: "workspace.shell.read", doc: "The output of a shell." },
  { name: "ServiceInfo", of: "workspace.service.status", doc: "A service of a workspace." },
  { name: "ServiceLog", of: "workspace.service.logs", doc: "A part of a service's log." },
  { name: "PublishedPort", of: "workspace.port.publish", doc: "A port of the guest that the host publishes." },
  { name: "SnapshotInfo", of: "workspace.snapshot.list", at: itemOf("snapshots"), doc: "A snapshot of a workspace." },
  { name: "History", of: "workspace.history", doc: "Commands of a workspace, and where a rewind can return to." },
  { name: "RewindResult", of: "workspace.rewind", doc: "What a rewind undid, and what it did not." },
  { name: "SavedInfo", of: "saved.list", at: itemOf("saved"), doc: "A saved snapshot, which outlives its workspace." },
  {
    name: "SavedDetail",
    adds: "SavedInfo",
    of: "saved.inspect",
    doc: "A saved snapshot, and whether its memory continues here."
  },
  { name: "SavedExported", of: "saved.export", doc: "A saved snapshot in a file." },
  { name: "EnvironmentInfo", of: "workspace.commit", doc: "An environment." },
  { name: "DiffResult", of: "workspace.diff", doc: "The changes of a workspace." },
  { name: "PatchApplied", of: "workspace.patch.apply", doc: "The changes of a patch." },
  { name: "ExportResult", of: "workspace.export", doc: "Files that were copied to the host." },
  { name: "ImportResult", of: "workspace.import", doc: "Files that were copied to the guest." },
  { name: "PushResult", of: "workspace.sync.push", doc: "Changes of the host that were copied to the guest." },
  { name: "CandidateResult", of: "workspace.try", at: itemOf("candidates"), doc: "What became of a candidate." },
  { name: "TryResult", of: "workspace.try", doc: "What became of all candidates." },
  { name: "KeepResult", of: "workspace.keep", doc: "A candidate that became the workspace." },
  { name: "NetworkChanged", of: "workspace.network.set", doc: "A new network policy, and what it ends." },
  { name: "NetworkLog", of: "workspace.network.log", doc: "Connections of a workspace." }
]

/** Options of the handle's methods: the fields of a request. */
const requests = [
  { name: "CreateFields", of: "workspace.create", doc: "A new workspace." },
  {
    name: "CommandFields",
    of: "workspace.exec",
    without: [
      "command",
      "script",
      "execId",
      "detach",
      "openStdin",
      "waitSeconds",
      "cursor",
      "order",
      "maxBytes",
      "tty",
      "rows",
      "cols"
    ],
    doc: "How a command runs."
  },
  { name: "ShellFields", of: "workspace.shell.open", without: ["command"], doc: "A new shell." },
  { name: "ShellReadFields", of: "workspace.shell.read", without: ["shellId"], doc: "The wanted output of a shell." },
  {
    name: "ServiceFields",
    of: "workspace.service.start",
    without: ["name", "command", "script"],
    doc: "A new service."
  },
  {
    name: "ServiceLogFields",
    of: "workspace.service.logs",
    without: ["name"],
    doc: "The wanted part of a service's log."
  },
  { name: "FileListFields", of: "workspace.file.list", without: ["path"], doc: "The wanted entries of a directory." },
  {
    name: "FileWriteFields",
    of: "workspace.file.write",
    without: ["path", "text", "content"],
    doc: "How a file is written."
  },
  {
    name: "FileEditFields",
    of: "workspace.file.edit",
    without: ["path", "oldText", "newText"],
    doc: "How a file is edited."
  },
  { name: "FileStatFields", of: "workspace.file.stat", without: ["path"], doc: "How a file is looked at." },
  { name: "MkdirFields", of: "workspace.file.mkdir", without: ["path"], doc: "How a directory is made." },
  { name: "RemoveFields", of: "workspace.file.remove", without: ["path"], doc: "How a file is removed." },
  { name: "RenameFields", of: "workspace.file.rename", without: ["path", "target"], doc: "How a file is renamed." },
  { name: "CopyFields", of: "workspace.file.copy", without: ["path", "target"], doc: "How a file is copied." },
  { name: "NetworkFields", of: "workspace.network.set", doc: "A network policy." },
  { name: "NetworkLogFields", of: "workspace.network.log", doc: "The wanted connections." },
  { name: "ForkFields", of: "workspace.fork", without: ["count"], doc: "A fork of a workspace." },
  {
    name: "TryFields",
    of: "workspace.try",
    without: ["candidates", "check", "checkScript"],
    doc: "How candidates are tried.",
    own: {
      timeoutSeconds: {
        name: "timeoutMs",
        optional: true,
        type: "number",
        description: "Time until a candidate, with its check, is ended, in ms. Default: no limit"
      }
    }
  },
  { name: "CommitFields", of: "workspace.commit", without: ["name"], doc: "How a workspace becomes an environment." },
  { name: "SaveFields", of: "workspace.snapshot.save", without: ["name"], doc: "How a workspace is saved." },
  {
    name: "SavedExportFields",
    of: "saved.export",
    without: ["name", "output"],
    doc: "How a saved snapshot is exported."
  },
  {
    name: "SavedImportFields",
    of: "saved.import",
    without: ["sourcePath"],
    doc: "How a saved snapshot is imported."
  },
  { name: "RewindFields", of: "workspace.rewind", doc: "The state to return to." },
  { name: "HistoryFields", of: "workspace.history", doc: "The wanted commands." },
  { name: "ResetFields", of: "workspace.reset", doc: "The state to return to." },
  {
    name: "UpdateFields",
    of: "workspace.update",
    doc: "What changes of a workspace.",
    own: {
      ttlSeconds: {
        name: "ttlMs",
        optional: true,
        type: "number",
        description:
          "Time from the last activity until pyro deletes the workspace, in ms, rounded up to seconds; 0: never. Default: unchanged"
      },
      pauseAfterSeconds: {
        name: "pauseAfterMs",
        optional: true,
        type: "number",
        description:
          "Time without a use until pyro pauses the workspace, in ms, rounded up to seconds; 0: never. Default: unchanged"
      }
    }
  },
  { name: "DiffFields", of: "workspace.diff", doc: "The wanted changes." },
  {
    name: "PatchFields",
    of: "workspace.patch.apply",
    without: ["patch", "patchBytes"],
    doc: "How a patch is applied."
  },
  {
    name: "ExportFields",
    of: "workspace.export",
    without: ["path", "output"],
    doc: "How files are copied to the host."
  },
  {
    name: "ImportFields",
    of: "workspace.import",
    without: ["sourcePath", "path", "content", "unnamed"],
    doc: "How files are copied to the guest."
  },
  {
    name: "PushFields",
    of: "workspace.sync.push",
    without: ["sourcePath"],
    doc: "How changes of the host are copied to the guest."
  }
]

const ms = (name, description) => ({ name, optional: true, type: "number", description })

/** Fields that the handle has in another form: all times are in ms. */
const ofHandle = {
  secrets: {
    name: "secrets",
    optional: true,
    type: "Readonly<Record<string, string>>",
    description:
      "Values of secrets by their names, for `secretEnv` and `secretMount` of commands. pyro removes the values from output. Default: none"
  },
  registryAuth: {
    name: "registryAuth",
    optional: true,
    type: "Readonly<Record<string, string>>",
    description:
      "Logins of registries by host, as USER:PASSWORD, for the images of `devcontainer`. They stay outside of the microVM. Default: none"
  },
  timeoutSeconds: ms(
    "timeoutMs",
    "Time until the command and its children are ended, with status 124, in ms. Default: no limit"
  ),
  graceSeconds: ms(
    "graceMs",
    "Time between the first signal and SIGKILL to the command and its children, in ms. Default: 2000"
  ),
  ttlSeconds: ms(
    "ttlMs",
    "Time from the last activity until pyro deletes the workspace, in ms, rounded up to seconds. Default: never"
  ),
  pauseAfterSeconds: ms(
    "pauseAfterMs",
    "Time without a use until pyro pauses the workspace, in ms, rounded up to seconds; 0: never. Default: PYRO_PAUSE_AFTER_SECONDS of the daemon"
  ),
  readyTimeoutSeconds: ms(
    "readyTimeoutMs",
    "Time until a service that is not ready counts as failed, in ms. Default: 60000, or what the health check of an image says"
  ),
  waitSeconds: ms("waitMs", "Maximum time of the waits, in ms. Default: 30000")
}

const camelCase = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase())

/** The fields of a Schema. Only the encoded side of a request says which fields may be left out. */
const fieldsOf = ({ SchemaAST }, ast, encoded = ast) =>
  ast.propertySignatures.map(({ name, type }, at) => {
    const { type: given } = encoded.propertySignatures[at]
    return {
      name: String(name),
      ast: type,
      optional: SchemaAST.isOptional(given),
      description: SchemaAST.resolveDescription(type) ?? SchemaAST.resolveDescription(given) ?? ""
    }
  })

const comment = (text, indent) => text === "" ? [] : wrapped(text, indent)

/** A comment of lines that fit. */
const wrapped = (text, indent) => {
  const short = `${indent}/** ${text.replaceAll("*/", "* /")} */`
  if (short.length <= 120) return [short]
  const lines = [""]
  for (const word of text.replaceAll("*/", "* /").split(" ")) {
    if (`${indent} * ${lines.at(-1)} ${word}`.length > 120) lines.push("")
    lines.push(`${lines.pop()} ${word}`.trim())
  }
  return [`${indent}/**`, ...lines.map((line) => `${indent} * ${line}`), `${indent} */`]
}

const declaration = (contract, name, doc, fields) =>
  [
    `/** ${doc} */`,
    `export interface ${name} {`,
    ...lines(contract, fields, "  "),
    "}\n"
  ].join("\n")

const lines = (contract, fields, indent) =>
  fields.flatMap(({ ast, description, name, optional, orUndefined, type }) => [
    ...comment(description, indent),
    `${indent}readonly ${name}${optional ? "?" : ""}: ${type ?? typeOf(contract, ast, indent)}${
      orUndefined ? " | undefined" : ""
    }`
  ])

/** Fields without names of other results. */
const spelledOut = (contract, fields) => lines({ ...contract, nameOf: undefined }, fields, "").join("\n")

const typeOf = (contract, ast, indent) => {
  switch (ast._tag) {
    case "String":
      return "string"
    case "Number":
      return "number"
    case "Boolean":
      return "boolean"
    case "Undefined":
      return "undefined"
    case "Literal":
      return JSON.stringify(ast.literal)
    case "Union":
      return [...new Set(ast.types.map((one) => typeOf(contract, one, indent)))].join(" | ")
    case "Arrays":
      return `ReadonlyArray<${typeOf(contract, ast.rest[0], indent)}>`
    case "Declaration":
      return contract.isByName(ast)
        ? `Readonly<Record<string, ${typeOf(contract, ast.typeParameters[0], indent)}>>`
        : "Uint8Array"
    case "Objects": {
      const [values] = ast.indexSignatures
      if (values !== undefined) return `Readonly<Record<string, ${typeOf(contract, values.type, indent)}>>`
      // A next step has a type by hand, with one form for each kind.
      if (["label", "call", "option", "command"].every((field) => hasField(field)(ast))) return "NextStep"
      const name = contract.nameOf?.get(spelledOut(contract, fieldsOf(contract, ast)))
      if (name !== undefined) return name
      return `{\n${lines(contract, fieldsOf(contract, ast), `${indent}  `).join("\n")}\n${indent}}`
    }
    default:
      throw new Error(`no TypeScript for ${ast._tag}`)
  }
}

/** Lines of an interface for the fields of a struct, with comments by the fields' names; `_tag` and those of `base` are the caller's. */
export const fieldLines = (contract, ast, indent, comments = new Map(), base = []) =>
  lines(
    contract,
    fieldsOf(contract, ast).filter(({ name }) => name !== "_tag" && !base.includes(name)).map((field) => ({
      ...field,
      description: comments.get(field.name) ?? field.description
    })),
    indent
  )
