import effect from "@effect/eslint-plugin"
import tseslint from "typescript-eslint"

/** Folders of `src` that talk to the host and may therefore use `node:` modules; the rest reaches it through them. */
const hostFolders = [
  "system",
  "lib/vm",
  "lib/network",
  "lib/guest-channel",
  "lib/ssh",
  "lib/output-log",
  "lib/seeding",
  "lib/exporting",
  "lib/disk",
  "lib/recipe",
  "lib/environment",
  "workspace",
  "daemon",
  "agent-host",
  "remote",
  "serve",
  "project"
]

const format = {
  indentWidth: 2,
  lineWidth: 120,
  semiColons: "asi",
  quoteStyle: "alwaysDouble",
  trailingCommas: "never",
  operatorPosition: "maintain",
  "arrowFunction.useParentheses": "force"
}

const barrel = {
  regex: "(^|/)index(\\.[cm]?[jt]s)?$",
  message: "Import the module that defines it; this project has no barrels."
}
const nodeModule = {
  regex: "^node:",
  message: "Only src/{" + hostFolders.join(",") +
    "}, src/cli/{terminal,quick-exec,arguments/operands} and tools outside src use Node's own modules."
}

const nodeFiles = {
  regex: "^node:fs",
  message:
    "Use src/system/files, whose functions fail with FileFailed, or add the module to fileModules with the reason."
}
/** Modules of the host folders that call Node's file functions themselves. */
const fileModules = [
  // The file layer, and facts about the host that are read from /proc and /sys.
  "src/system/**/*.ts",
  // Descriptors, sockets and links that a VMM inherits or owns; each write runs inside an `attempt`.
  "src/lib/vm/driver/**/*.ts",
  "src/lib/vm/model/memory-image.ts",
  "src/lib/vm/memory-ahead.ts",
  // Reads and writes of open descriptors for each piece of output, where an Effect a call costs too much.
  "src/workspace/residents/network/log.ts",
  "src/lib/output-log/**/*.ts",
  "src/workspace/residents/exec/{journal,resident}.ts",
  // Trees of clients: thousands of files, which several functions of Node make each, inside one `attempt`.
  "src/daemon/spool/{contents,take,tree}.ts",
  "src/remote/files/{entries,project,send}.ts",
  // Read directories of the caller, and handle each refusal in place.
  "src/lib/seeding/model/{host-files,pinned}.ts",
  "src/lib/seeding/git/{host-config,repository,scratch}.ts",
  // Reads the folders that npm has just written, and leaves those out that it cannot read.
  "src/lib/environment/image/npm-programs.ts",
  "src/lib/seeding/sync/host-tree.ts",
  "src/workspace/content/import/source.ts",
  // Reads recipes of the package itself: a missing one is a defect of the installation.
  "src/lib/environment/model/rootfs.ts",
  // Appends one line for each event, inside an `attempt`, and ends a line that a crash cut.
  "src/workspace/entry/events.ts",
  // Look at records and folders that may be damaged or gone, and have an answer for each refusal.
  "src/workspace/entry/{activity,damaged,record}.ts",
  // Reads a file of the package itself, as rootfs' recipes are read.
  "src/lib/network/daemon/dial/program.ts",
  // Run in the dial process, which has promises and no effects: the host's certificates, and a folder that exists for a moment.
  "src/lib/network/dialer/intercept/socket-pair.ts",
  "src/lib/network/both/intercept/trust.ts",
  // Reads the host's certificates where an absent file means none.
  "src/lib/network/authorities.ts",
  // Run in the dial process as well: entries of the package cache.
  "src/lib/network/dialer/package-cache/{entry,evict,store}.ts",
  // Walks a snapshot's folder before its files are synced.
  "src/workspace/life/snapshot/keep.ts",
  // Reads the built page of the package itself, once.
  "src/daemon/page/files.ts"
]

const byString =
  ":matches(TSTypeReference[typeName.name='Record'] > TSTypeParameterInstantiation > TSStringKeyword:first-child, TSIndexSignature)"
const namesMessage =
  "Names from outside may be __proto__ or constructor: use a Map, or named(), table() and byName() of src/contract/text/names.ts."
/** Plain objects whose keys are not known when they are written. */
const plainObjectsByName = [
  "CallExpression[callee.object.name='Object'][callee.property.name='fromEntries']",
  "MemberExpression[object.name='Schema'][property.name='Record']",
  "CallExpression[callee.property.name='reduce'] > ObjectExpression.arguments",
  `VariableDeclarator[init.type='ObjectExpression'] > Identifier.id ${byString}`,
  `TSAsExpression[expression.type='ObjectExpression'] ${byString}`
].map((selector) => ({ selector, message: namesMessage }))

/** Modules with settings read them through one table, so that a malformed value is a typed error and the docs list each variable. */
const processEnv = {
  object: "process",
  property: "env",
  message:
    "Read environment variables through src/system/settings/config.ts; each has its row in src/system/settings/variables.ts."
}

/** Deadlines, times to live and timestamps come from the fiber's Clock, so that tests drive them. */
const clockMessage = "Read the clock through src/system/waits/time.ts; the CLI's views use Effect's Clock."
const clocks = [
  { object: "Date", property: "now", message: clockMessage },
  { object: "performance", message: clockMessage },
  { object: "process", property: "hrtime", message: clockMessage }
]
const dateOfNow = { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: clockMessage }

/** Work runs in fibers of a Scope, so that the process's end waits for it; delays come from the fiber's Clock, so that tests drive them. */
const runFork = {
  object: "Effect",
  property: "runFork",
  message: "Fork into a Scope that the process's end awaits; src/cli/main.ts alone starts a fiber from nothing."
}
const timerMessage =
  "Use Effect.sleep, or startTimer of src/system/waits/signal.ts to wake a fiber on the path of every command."
const timers = ["setTimeout", "setInterval"].map((name) => ({ name, message: timerMessage }))

/** A wait for a time is too short on a loaded host, and too long on any other. */
const waitMessage =
  "Wait for a condition: until() of test/support/until.ts. lapse() lets time pass where time is what the test is about, and a test clock is better."
const waits = [
  "CallExpression[callee.object.name='Effect'][callee.property.name='sleep']",
  "NewExpression[callee.name='Promise'] CallExpression[callee.name='setTimeout'][arguments.0.type='Identifier']",
  "ImportDeclaration[source.value='node:timers/promises'] > ImportSpecifier[imported.name='setTimeout']"
].map((selector) => ({ selector, message: waitMessage }))

const htmlMessage = "A value of a guest is text: give it to React as a child."
/** Ways from a text to HTML or to a script. */
const htmlProperties = ["innerHTML", "outerHTML", "insertAdjacentHTML", "srcdoc", "write"].map((property) => ({
  property,
  message: htmlMessage,
  ...(property === "write" ? { object: "document" } : {})
}))
const htmlSyntax = [
  { selector: "JSXAttribute[name.name=/^(dangerouslySetInnerHTML|srcDoc)$/]", message: htmlMessage },
  { selector: "JSXElement > JSXOpeningElement[name.name=/^(iframe|object|embed|script)$/]", message: htmlMessage }
]

export default tseslint.config(
  {
    ignores: [
      "src/sdk/promises/{errors,shapes}.ts",
      "dist/",
      "coverage/",
      "guest-agent/build/",
      "native/build/",
      "node_modules/"
    ]
  },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: ["**/*.{ts,tsx}"],
    languageOptions: { parser: tseslint.parser },
    plugins: { "@typescript-eslint": tseslint.plugin },
    rules: {
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_", caughtErrorsIgnorePattern: "^_" }
      ],
      "@typescript-eslint/ban-ts-comment": "error"
    }
  },
  {
    files: ["**/*.{js,mjs,cjs}"],
    rules: { "no-unused-vars": ["error", { argsIgnorePattern: "^_", caughtErrors: "none" }], "no-undef": "off" }
  },
  {
    files: ["**/*.{ts,tsx,js,mjs,cjs}"],
    plugins: { "@effect": effect },
    rules: {
      "@effect/dprint": ["error", { config: format }],
      "@effect/no-import-from-barrel-package": ["error", { packageNames: ["@effect/platform-node"] }],
      "max-lines": ["error", { max: 400 }],
      "no-debugger": "error",
      "no-restricted-imports": ["error", { patterns: [barrel] }],
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error"
    }
  },
  {
    files: ["src/**/*.{ts,tsx}"],
    rules: {
      "no-console": "error",
      "no-restricted-globals": ["error", ...timers],
      "no-restricted-properties": ["error", processEnv, runFork, ...clocks],
      "no-restricted-imports": ["error", { patterns: [barrel, nodeModule] }],
      "no-restricted-syntax": ["error", ...plainObjectsByName, dateOfNow]
    }
  },
  {
    files: [
      ...hostFolders.map((folder) => `src/${folder}/**/*.ts`),
      "src/cli/terminal/**",
      "src/cli/quick-exec/**",
      // Node's parseArgs, which touches nothing of the host.
      "src/cli/arguments/operands.ts"
    ],
    rules: { "no-restricted-imports": ["error", { patterns: [barrel, nodeFiles] }] }
  },
  {
    files: [...fileModules, "src/cli/terminal/**", "src/cli/quick-exec/**"],
    rules: { "no-restricted-imports": ["error", { patterns: [barrel] }] }
  },
  { files: ["src/cli/**/*.ts"], rules: { "no-console": "off" } },
  {
    files: ["{src,adapters,apps}/**/*.{ts,tsx}"],
    rules: { "max-lines-per-function": ["error", { max: 120, skipBlankLines: true, skipComments: true }] }
  },
  {
    files: ["test/**/*.ts"],
    // Times on the clock of a test; the helpers themselves; an agent and a program that have none of ours.
    ignores: [
      "test/unit/{cli/demo,scripts/lab-patience,system/telemetry/timings,workspace/content/files/within-time,lib/vm/claim/clock}.test.ts",
      "test/support/{until,hostile/agent}.ts",
      "test/fixtures/consumer/**"
    ],
    rules: { "no-restricted-syntax": ["error", ...waits] }
  },
  // Programs over the handle, without the parts of src: they build objects for it with Object.fromEntries, which sets no prototype.
  // They have no fibers, and so no Clock and no sleep of Effect's.
  {
    files: ["adapters/**/*.ts"],
    rules: {
      // Of code. test/unit/adapters has the bounds of whole adapters.
      "max-lines": ["error", { max: 150, skipBlankLines: true, skipComments: true }],
      "no-console": "error",
      "no-restricted-properties": ["error", processEnv]
    }
  },
  // The page. It runs in a browser: React's hooks and promises take the place of fibers, and the browser has the only clock and timers.
  {
    files: ["apps/web/src/**/*.{ts,tsx}"],
    rules: {
      "no-console": "error",
      "no-restricted-imports": ["error", { patterns: [barrel, nodeModule] }],
      "no-restricted-properties": ["error", processEnv, runFork, ...htmlProperties],
      "no-restricted-syntax": ["error", ...htmlSyntax]
    }
  },
  {
    // The one module that reads them, and two programs that answer before Effect is loaded.
    files: ["src/system/settings/config.ts", "src/cli/quick-exec/quick-exec.ts", "src/mcp/handshake/handshake.ts"],
    rules: { "no-restricted-properties": ["error", runFork, ...clocks] }
  },
  {
    // The module that reads the clocks, and two places outside of any fiber that measure an interval of the process
    // itself: between two signals, and between two collections of garbage.
    files: ["src/system/waits/time.ts", "src/system/processes/received-bytes.ts"],
    rules: { "no-restricted-properties": ["error", processEnv, runFork] }
  },
  { files: ["src/cli/main.ts"], rules: { "no-restricted-properties": ["error", processEnv] } },
  {
    // The module of timers; a sender that batches frames of several fibers; deadlines inside the callbacks of sockets and
    // child processes, where no fiber runs; and a collection of garbage that no fiber waits for.
    files: [
      "src/system/waits/signal.ts",
      "src/lib/guest-channel/wire/outbox.ts",
      "src/lib/vm/driver/qemu/qmp.ts",
      "src/daemon/server/request-tracker.ts",
      "src/serve/door/listener.ts",
      "src/serve/door/pending.ts"
    ],
    rules: { "no-restricted-globals": "off" }
  }
)
