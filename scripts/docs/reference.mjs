/** docs/public-contract.md as text, from the contract's own modules. */
export const reference = (contract) =>
  [
    "# The public contract",
    "",
    "`node scripts/docs.mjs` generates this page from `src/contract` and `src/daemon/calls`; `npm run check` fails if the page is out of date.",
    "",
    "- Fields have their JSON names. TypeScript's name of `memory_mib` is `memoryMib`.",
    "- With `--json`, a command prints one JSON document on stdout: its result, or `{\"error\": {\"code\", \"message\", …}}`. A JSON shape changes only with",
    "  a note in the changelog.",
    "- With `--quiet`, a command prints its result and errors only.",
    "- `<argument>` is required, `[argument]` is optional. If you omit the workspace, `PYRO_WORKSPACE` is used, except in `workspace delete`.",
    "",
    "| operation | command line | MCP tool | summary |",
    "|---|---|---|---|",
    ...contract.operations.map((row) =>
      tableRow([`[${code(row.name)}](#${anchor(row.name)})`, code(commandLine(contract, row)), mcp(row), row.summary])
    ),
    "",
    ...contract.operations.flatMap((row) => operation(contract, row)),
    ...errors(contract),
    ...statuses,
    ...surroundings(contract)
  ].join("\n") + "\n"

const operation = (contract, row) => {
  const defaults = contract.payloadDefaults(row.payload())
  const fields = contract.payloadFields(row.payload())
  return [
    `## ${row.name}`,
    "",
    `${row.summary}. ${row.description}`,
    "",
    ...row.cli.examples.map((example) => `    ${example}`),
    "",
    [...annotations(row), `Exit status: ${row.cli.exits === "guest" ? "the guest's own" : "pyro's"} (see the end).`]
      .join(" "),
    "",
    ...legalStates(contract.operationStates[row.name]),
    ...furtherErrors(contract, row),
    ...(fields.length === 0 ? [] : [
      "Request:",
      "",
      "| field | command line | type | default | |",
      "|---|---|---|---|---|",
      ...grouped(row, fields).flatMap(([title, members]) => [
        ...(title === undefined ? [] : [tableRow([`**${title}**`, "", "", "", ""])]),
        ...members.map((field) =>
          tableRow([
            code(field.name),
            onCommandLine(contract, row, field),
            field.kind._tag === "choice" ? field.kind.choices.map(code).join(", ") : field.kind._tag,
            field.required ? "required" : field.name in defaults ? code(JSON.stringify(defaults[field.name])) : "none",
            field.description
          ])
        )
      ]),
      ""
    ]),
    ...extras(row.cli),
    "Result:",
    "",
    "| field | type | |",
    "|---|---|---|",
    ...schemaRows(contract, row.result().ast),
    "",
    ...(row.kind === "unary" ? [] : events(contract, row))
  ]
}

const codesOf = (contract, tags) => tags.map((tag) => code(contract.snakeCase(tag))).join(", ")

/** The errors of a call beside those of each call. */
const furtherErrors = (contract, row) => {
  const tags = contract.furtherTags(row)
  return [
    tags.length === 0
      ? "Fails with [the errors of each call](#errors) alone."
      : `Fails with [the errors of each call](#errors), and ${codesOf(contract, tags)}.`,
    ""
  ]
}

/** The fields without an option, then those of each group of options. */
const grouped = ({ cli }, fields) => {
  const optionOf = ({ name }) => cli.flags?.[name] ?? name.replaceAll("_", "-")
  const groups = Object.entries(cli.groups ?? {}).map(([title, options]) => [
    title,
    options.flatMap((option) => fields.filter((field) => !cli.args.includes(field.name) && optionOf(field) === option))
  ])
  const placed = groups.flatMap(([, members]) => members)
  return [[undefined, fields.filter((field) => !placed.includes(field))], ...groups]
    .filter(([, members]) => members.length > 0)
}

/** Flags without a field in the request. */
const extras = (cli) => {
  const flags = Object.entries(cli.extras ?? {}).filter(([, extra]) => extra._tag !== "file")
  return flags.length === 0 ? [] : [
    "Flags of the command line only:",
    "",
    "| flag | |",
    "|---|---|",
    ...flags.map(([flag, { description }]) => tableRow([code(`--${flag}`), description])),
    ""
  ]
}

const events = (contract, row) => {
  const { ast } = row.event()
  return [
    "Events, as an Effect program sees them:",
    "",
    "| event | fields |",
    "|---|---|",
    ...(ast.types ?? [ast]).map((event) => {
      const [{ type: tag }, ...fields] = fieldsOf(contract, event)
      return tableRow([
        code(tag.literal),
        fields.map(({ name, type }) => `${code(name)} ${typeOf(contract, type)}`).join(", ")
      ])
    }),
    ""
  ]
}

const errors = (contract) => [
  "## Errors",
  "",
  "CLI, SDK and MCP have the same errors: a stable `code`, a `message`, fields, and `next`: what to do next, the best first.",
  "A step has a `label`, and says one of: `call` (an operation) with `with` (its arguments by name) and `choose` (those that the",
  "caller chooses); `option` (an argument of the failed call) with its `value`; `command` (a line for a shell of the host); nothing more.",
  "",
  "Each operation lists the errors that it may fail with, and a program in TypeScript sees these alone in the type of a call. Errors of each call:",
  `${codesOf(contract, contract.ofEachCall)}.`,
  "",
  "| code | fields | exit status of `run`, `exec` | of other commands |",
  "|---|---|---|---|",
  ...contract.PyroError.members.map(({ ast, to: error }) => {
    const fields = contract.SchemaAST.toEncoded(ast).propertySignatures
      .flatMap(({ name }) => name === "_tag" || name === "next" ? [] : [code(name)]).join(", ")
    const status = (family) => String(contract.exitStatus({ _tag: error.identifier }, family))
    const codes = error.codes ?? [error.prototype.code]
    return tableRow([codes.map(code).join(", "), fields, status("guest"), status("own")])
  }),
  "",
  "Three codes exist only with `--json` of the command line: `interrupted` (a signal ended pyro), `output_closed` (stdout is",
  "closed) and `internal_error` (a defect of pyro)."
]

/** Names of the operations that a line concerns. */
const concerned = ({ operations }, { concerns }) => {
  const rows = operations.filter(concerns)
  if (rows.length === operations.length) return "all"
  const ofWorkspaces = operations.filter(({ name }) => name === "watch" || /^(workspace|saved)\./.test(name))
  const others = ofWorkspaces.filter((row) => !rows.includes(row))
  const isMost = others.length <= 1 && rows.length <= ofWorkspaces.length
  return isMost
    ? `all of workspaces and saved snapshots${others.map(({ name }) => `, without ${code(name)}`).join("")}`
    : rows.map(({ name }) => code(name)).join(", ")
}

const surroundings = (contract) => [
  "",
  "## What surrounds a call",
  "",
  "Every call passes these lines from the first to the last, and its answer passes them back. A caller who enters at a part passes all later parts.",
  "`src/daemon/calls/list.ts` is the list.",
  "",
  "| line | what it does | its place | operations |",
  "|---|---|---|---|",
  ...contract.list.flatMap(({ enter, wraps }) => [
    tableRow([`**Here enter: ${enter}**`, "", "", ""]),
    ...wraps.map((wrap) => tableRow([wrap.name, wrap.does, wrap.because, concerned(contract, wrap)]))
  ])
]

const statuses = [
  "",
  "## Exit statuses",
  "",
  "| status | when |",
  "|---|---|",
  "| the command's own | `run`, `workspace exec`: the command ended by itself |",
  "| 2 | all commands: the command line is invalid |",
  "| 75 | `workspace exec --wait-seconds`: the command still runs after this time |",
  "| 124 | `run`, `workspace exec`: the command ran past `--timeout-seconds` |",
  "| 125 | `run`, `workspace exec`: pyro failed; the command did not run, or its outcome is unknown |",
  "| 126, 127 | `run`, `workspace exec`: the command cannot be executed, or does not exist |",
  "| 128 + n | `run`, `workspace exec`: signal n ended the command (137 if the guest ran out of memory) |",
  "| 128 + n, as a shell reports it | signal n ended pyro and the command that pyro waited for (130: Ctrl-C). If the command handles the signal, pyro exits with the command's status. A line on stderr says what remains, unless `--quiet` is given |",
  "| 1 | another command failed; a check of `doctor` failed; `workspace diff` or `compare` printed an incomplete patch (not with `--json`) |"
]

/** An argument is optional if its field is, unless the CLI needs the argument in place of a flag. */
const argument = (contract, row, name) => {
  const field = contract.payloadFields(row.payload()).find((one) => one.name === name)
  return field.required || name in (row.cli.unless ?? {}) ? `<${name}>` : `[${name}]`
}

const commandLine = (contract, row) => {
  const { cli } = row
  if (cli.shownBy !== undefined) return ["pyro", ...cli.shownBy].join(" ")
  return [
    "pyro",
    ...cli.path,
    ...cli.args.map((name) => argument(contract, row, name)),
    ...(cli.argsOrFlags ?? []).map((name) => `[${name}]`),
    ...(cli.rest === undefined ? [] : [`[[--] <${cli.rest}…>]`])
  ].join(" ")
}

const onCommandLine = (contract, row, { name }) => {
  const { cli } = row
  if (cli.shownBy !== undefined) return "-"
  if (cli.args.includes(name)) return code(argument(contract, row, name))
  if (cli.rest === name) return "after `--`"
  const files = Object.entries(cli.extras ?? {})
    .flatMap(([flag, extra]) => extra._tag === "file" && extra.fills === name ? [code(`--${flag}`)] : [])
  if (cli.filled?.includes(name)) return files.length === 0 ? "from the terminal" : files.join(", ")
  const asWord = cli.argsOrFlags?.includes(name) ? [code(`[${name}]`)] : []
  return [...asWord, code(`--${cli.flags?.[name] ?? name.replaceAll("_", "-")}`), ...files].join(", ")
}

const mcp = (row) =>
  "missing" in row.mcp ? `- (${row.mcp.missing})` : `${code(row.mcp.tool)} (${row.mcp.profiles.join(", ")})`

const annotations = ({ annotations: { destructive, idempotent, openWorld, readOnly } }) =>
  [
    readOnly ? "Reads only." : "",
    destructive ? "Destructive." : "",
    idempotent ? "Safe to repeat." : "",
    openWorld ? "Uses the network." : ""
  ].filter((sentence) => sentence !== "")

/** The states of a workspace in which an operation on it is legal. */
const legalStates = (rule) =>
  rule === undefined ? [] : [
    `Legal workspace states: ${rule.legal.map(code).join(", ")}.` +
    (rule.waits ? " The operation waits for a step under way." : "") +
    (rule.except === undefined ? "" : ` ${rule.except}`),
    ""
  ]

/** One row per field, nested ones as `outer.inner` and `list[].inner`. */
const schemaRows = (contract, ast, prefix = "") =>
  fieldsOf(contract, ast).flatMap(({ description, name, required, type }) => {
    const path = `${prefix}${name}`
    const inner = contract.SchemaAST.isArrays(type) ? [`${path}[]`, type.rest[0]] : [path, type]
    return [
      tableRow([code(path), typeOf(contract, type) + (required ? "" : ", may be missing"), description]),
      ...schemaRows(contract, inner[1], `${inner[0]}.`)
    ]
  })

/** Fields as JSON has them. A Schema's two sides have them in one order. */
const fieldsOf = ({ SchemaAST }, ast) =>
  (SchemaAST.toEncoded(ast).propertySignatures ?? []).map(({ name, type: encoded }, at) => {
    const { type } = ast.propertySignatures[at]
    return {
      name,
      type,
      required: !SchemaAST.isOptional(encoded),
      description: SchemaAST.resolveDescription(type) ?? SchemaAST.resolveDescription(encoded) ?? ""
    }
  })

const typeOf = (contract, ast) => {
  const encoded = contract.SchemaAST.toEncoded(ast)
  switch (encoded._tag) {
    case "Literal":
      return code(JSON.stringify(encoded.literal))
    case "Union":
      return encoded.types.filter((one) => !isBytes(one)).map((one) => typeOf(contract, one)).join(" or ")
    case "Arrays":
      return `list of ${typeOf(contract, encoded.rest[0])}`
    case "Number":
      return contract.isInteger(encoded) ? "integer" : "number"
    case "Objects":
    case "Declaration":
      return isBytes(encoded) ? "bytes" : "object"
    default:
      return encoded._tag.toLowerCase()
  }
}

/** Beside them in a union is their text, which is what JSON has. */
const isBytes = ({ annotations }) => annotations?.expected === "Uint8Array"

const code = (text) => `\`${text}\``
const anchor = (name) => name.replaceAll(".", "")
const tableRow = (cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`
