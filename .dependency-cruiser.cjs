// Who may import whom. A README in each folder shows it.
const libraries = [
  "contract",
  "system",
  "lib/ignore",
  "lib/redaction",
  "lib/output-log",
  "lib/terminal",
  "lib/guest-channel",
  "lib/ssh",
  "lib/patch",
  "lib/exporting",
  "lib/test-counts",
  "lib/disk",
  "lib/network",
  "lib/recipe",
  "lib/environment",
  "lib/vm",
  "lib/seeding"
]

const may = {
  "contract": [],
  "system": ["contract"],
  "lib/ignore": ["contract", "system"],
  "lib/redaction": ["contract", "system"],
  "lib/output-log": ["contract", "system"],
  "lib/terminal": ["contract", "system"],
  "lib/guest-channel": ["contract", "system"],
  "lib/ssh": ["contract", "system", "lib/guest-channel"],
  "lib/patch": ["contract", "system"],
  "lib/exporting": ["contract", "system", "lib/ignore", "lib/patch"],
  "lib/test-counts": ["contract"],
  "lib/disk": ["contract", "system"],
  "lib/network": ["contract", "system", "lib/redaction", "lib/guest-channel"],
  "lib/recipe": ["contract", "system"],
  "lib/environment": ["contract", "system", "lib/disk", "lib/recipe"],
  "lib/vm": ["contract", "system", "lib/disk", "lib/guest-channel"],
  "lib/seeding": ["contract", "system", "lib/guest-channel", "lib/disk", "lib/recipe", "lib/vm", "lib/ignore"],
  "workspace": libraries,
  "building": [...libraries, "workspace"],
  "daemon": [...libraries, "workspace", "building"],
  "project": ["contract", "system", "lib/recipe", "lib/seeding"],
  "remote": ["contract", "system", "lib/exporting", "lib/patch", "lib/seeding"],
  "sdk": ["contract", "system", "project", "remote"],
  "serve": ["contract", "system", "sdk"],
  "agent-host": ["contract", "system"],
  "cli": [
    ...["contract", "lib/terminal", "lib/ssh", "lib/recipe", "sdk", "agent-host", "remote", "serve"],
    ...["project", "building", "daemon", "mcp"]
  ],
  "mcp": ["contract", "sdk"]
}

/** npm workspaces beside src, and what they take of it: `page-in-a-browser` and `adapters-on-the-handle` say which files. */
const ends = {
  "apps/web": ["contract", "sdk"],
  "adapters": ["sdk"]
}

/** Folders whose imports `npm run test:frameworks` installs. */
const ofFrameworks = "^(adapters|test/frameworks)/"

/**
 * Folders with a door: what lies at their first level may be imported from outside, what lies in their inner folders may not. The unit tests
 * of such a folder, in test/unit under its name, are inside.
 */
const closed = [
  ...libraries.filter((name) => name.startsWith("lib/")),
  ...["building", "agent-host", "remote", "sdk", "daemon"]
]

/** What else is inside: it stands in the place of one of the folder's own parts. */
const alsoInside = {
  // The other end of the wire: fake and hostile agents.
  "lib/guest-channel": [{ from: "^test/support/guest-channel/guest-wire\\.ts$", to: "wire/" }],
  // A driver that has processes in place of VMs: it is made of what drivers share.
  "lib/vm": [{ from: "^test/support/local-agent/", to: "driver/[^/]+$" }],
  // The two ends of the daemon's socket are tested with each other.
  "sdk": [{
    from: "^test/(unit/(daemon|contract)/|support/daemon/served-pyro|fixtures/forgetful-client)",
    to: "connection/[^/]+$"
  }],
  // Room is asked for before a build and before a run.
  "building": [{ from: "^test/unit/daemon/(app/room|calls/err)", to: "(builder/acquire|devcontainer/create)\\.ts$" }],
  "daemon": [
    { from: "^test/support/daemon/served-pyro\\.ts$", to: "(server|spool)/[^/]+$" },
    { from: "^test/support/web/serve\\.ts$", to: "page/page\\.ts$" },
    { from: "^test/unit/contract/rpc\\.test\\.ts$", to: "server/request-tracker\\.ts$" },
    { from: "^bench/rows/observation\\.ts$", to: "calls/request/observe\\.ts$" },
    // The reference shows the list.
    { from: "^scripts/docs\\.mjs$", to: "calls/list\\.ts$" },
    // Processes of tests and of the bench that have the daemon's services without its socket.
    {
      from:
        "^(test/(support/(lifecycle|web)/|support/guest\\.ts$|guest/attach-driver|cli/fake-local)|bench/product\\.ts$)",
      to: "(app/(services|workspaces|run|daemon-control)|calls/(list|workspaces/work))\\.ts$"
    }
  ]
}

/** Rooms that lie below the model of their folder: a call is written in the fields of the wire. */
const belowModel = { "lib/guest-channel": "wire" }

/** Everything that imports from src. */
const tree = "^(src|adapters|apps|test|bench|examples|scripts)/"

/** The rules of the door of a folder. */
const rulesOfDoor = (folder) => {
  const openings = alsoInside[folder] ?? []
  const rule = {
    name: `door-of-${folder}`,
    comment: `src/${folder} is entered by the files of its first level and of its model`,
    severity: "error"
  }
  const own = [`^src/${folder}/`, `^test/unit/${folder}/`]
  return [
    {
      ...rule,
      from: { path: tree, pathNot: [...own, ...openings.map(({ from }) => from)] },
      to: { path: `^src/${folder}/(?!model/)[^/]+/` }
    },
    {
      ...rule,
      name: `no-cellar-of-${folder}`,
      comment:
        `what lies at the first level of src/${folder} is its door: its rooms import its model, and not the door`,
      from: { path: `^src/${folder}/[^/]+/` },
      to: { path: `^src/${folder}/[^/]+$` }
    },
    {
      ...rule,
      name: `model-of-${folder}`,
      comment: `the model of src/${folder} is below its rooms`,
      from: { path: `^src/${folder}/model/` },
      to: { path: `^src/${folder}/`, pathNot: `^src/${folder}/(model|${belowModel[folder] ?? "model"})/` }
    },
    ...openings.map(({ from, to }) => ({
      ...rule,
      from: { path: from },
      to: { path: `^src/${folder}/(?!model/)[^/]+/`, pathNot: `^src/${folder}/${to}` }
    }))
  ]
}

/** Folders whose files lie in rooms, and which room may import which. */
const rooms = {
  "contract": {
    "text": [],
    "errors": ["text"],
    "rows": ["text", "errors"],
    "wire": ["text", "errors", "rows"]
  },
  "system": {
    "settings": [],
    "waits": ["settings"],
    "telemetry": ["settings", "waits"],
    "processes": ["settings", "waits", "telemetry"],
    "files": ["settings", "waits", "telemetry", "processes"]
  },
  "workspace": {
    "entry": [],
    "residents": ["entry"],
    "life": ["entry", "residents"],
    "content": ["entry", "residents", "life"],
    "disk": ["entry", "residents", "life", "content"],
    "operations": ["entry", "residents", "life", "content", "disk"]
  }
}

/** Rooms whose files lie in further rooms. */
const innerRooms = {
  "workspace/residents": {
    "policy": [],
    "program": ["policy"],
    "secret": ["policy", "program"],
    "header-secret": ["policy", "program", "secret"],
    "package-cache": ["policy", "program", "secret", "header-secret"],
    "network": ["policy", "program", "secret", "header-secret", "package-cache"],
    "exec": ["policy", "program", "secret", "header-secret", "network"],
    "port": ["policy", "network"],
    "shell": ["program", "exec"],
    "service": ["program", "secret", "exec", "port"],
    "ssh": ["policy", "program", "exec", "port"],
    "open": [
      "policy",
      "program",
      "secret",
      "header-secret",
      "package-cache",
      "network",
      "exec",
      "port",
      "shell",
      "service",
      "ssh"
    ]
  },
  "workspace/life": {
    "records": [],
    "engine": ["records"],
    "guest": ["records", "engine"],
    "read": ["records", "engine", "guest"],
    "snapshot": ["records", "engine", "guest", "read"],
    "points": ["records", "engine", "guest", "read", "snapshot"],
    "saved": ["records", "engine", "guest", "read", "snapshot", "points"],
    "verbs": ["records", "engine", "guest", "read", "snapshot", "points", "saved"]
  }
}

/** Folders whose first level puts their rooms together. */
const roomsBelow = {
  // By process: what runs in the daemon, what runs in the dial process, and what both run.
  "lib/network": {
    "model": [],
    "both": ["model"],
    "daemon": ["model", "both"],
    "dialer": ["model", "both"]
  },
  "daemon": {
    "spool": [],
    "app": ["spool"],
    "otlp": [],
    "calls": ["spool"],
    "server": ["calls"],
    "page": ["server"]
  },
  "building": {
    "model": [],
    "registry": ["model"],
    "builder": ["model", "registry"],
    "devcontainer": ["model", "registry", "builder"]
  },
  "cli": {
    "terminal": [],
    "rows": [],
    "quick-exec": ["terminal"],
    "output": ["terminal"],
    "arguments": ["rows", "terminal"],
    "help": ["rows", "arguments", "output"],
    "views": ["output", "terminal"],
    "project": ["rows", "arguments", "output", "perform", "terminal"],
    "perform": ["arguments", "output", "views", "terminal"],
    "agent": ["rows", "arguments", "output", "views", "perform", "terminal"]
  }
}

/** Which room may import which. */
const arrowsOfRooms = ([folder, table]) =>
  Object.entries(table).map(([room, others]) => ({
    name: `room-${folder}-${room}`,
    comment: `src/${folder}/${room} may import: ${others.join(", ") || "no other room"}`,
    severity: "error",
    from: { path: `^src/${folder}/${room}/` },
    to: { path: `^src/${folder}/`, pathNot: `^src/${folder}/(${[room, ...others].join("|")})/` }
  }))

/** The rules of a folder all of whose files are in rooms. */
const rulesOfRooms = ([folder, table]) => [
  ...arrowsOfRooms([folder, table]),
  {
    name: `rooms-of-${folder}`,
    comment: `a file of src/${folder} lies in one of its rooms`,
    severity: "error",
    from: {},
    to: { path: `^src/${folder}/`, pathNot: `^src/${folder}/(${Object.keys(table).join("|")})/` }
  }
]

/** Every folder with settings of its own reads them through this module; it imports nothing but the contract. */
const settings = "^src/system/settings/"

const folders = Object.keys(may)

module.exports = {
  forbidden: [
    {
      name: "a-client-without-microvms",
      comment: "what uses another machine loads nothing that runs microVMs: macOS, Windows and arm64 have only this",
      severity: "error",
      from: { path: "^src/(remote|sdk|project|agent-host)/" },
      to: { path: "^src/(lib/(vm|disk|network)|workspace|building|daemon)/", reachable: true }
    },
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    { name: "not-to-unresolvable", severity: "error", from: { pathNot: ofFrameworks }, to: { couldNotResolve: true } },
    ...folders.map((folder) => ({
      name: `${folder}-imports`,
      comment: `src/${folder} may import: ${may[folder].join(", ") || "no other folder"}`,
      severity: "error",
      from: { path: `^src/${folder}/` },
      to: { path: "^src/", pathNot: [`^src/(${[folder, ...may[folder]].join("|")})/`, settings] }
    })),
    ...closed.flatMap(rulesOfDoor),
    ...Object.entries({ ...rooms, ...innerRooms }).flatMap(rulesOfRooms),
    ...Object.entries(roomsBelow).flatMap(arrowsOfRooms),
    {
      name: "drivers-behind-vmm",
      comment:
        "a VMM is reached through the Vmm service alone; what drivers share lies at the first level of src/lib/vm/driver",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/lib/vm/(Vmm\\.ts$|driver/[^/]+/)" },
      to: { path: "^src/lib/vm/driver/[^/]+/" }
    },
    {
      name: "known-folders",
      comment: "a new folder of src gets its line in the table first",
      severity: "error",
      from: {},
      to: { path: "^src/", pathNot: `^src/(${folders.join("|")})/` }
    },
    {
      name: "adapters-on-the-handle",
      comment:
        "an adapter is what a program could have written: it imports pyro/promises, its framework, its own files and those of adapters/shared",
      severity: "error",
      from: { path: "^adapters/([^/]+)/" },
      to: { path: tree, pathNot: "(^(src/sdk/connect\\.ts$|adapters/($1|shared)/)|/node_modules/)" }
    },
    {
      name: "adapters-are-ends",
      comment: "pyro works without a framework: programs alone import adapters",
      severity: "error",
      from: { pathNot: "^adapters/" },
      to: { path: "^adapters/" }
    },
    {
      name: "page-in-a-browser",
      comment: "the page takes the contract, and the wire alone from src/sdk, whose other doors use Node",
      severity: "error",
      from: { path: "^apps/web/src/" },
      to: { path: tree, pathNot: "^(apps/web/src/|src/contract/|src/sdk/over-socket\\.ts$)" }
    },
    {
      name: "apps-use-named-packages-only",
      comment: "an app is an npm workspace: its own package.json names what it imports",
      severity: "error",
      from: { path: "^apps/" },
      to: { dependencyTypes: ["npm-no-pkg", "npm-unknown"] }
    },
    {
      name: "page-is-an-end",
      comment: "the page is a program of its own, which nothing imports but the tests of its parsers",
      severity: "error",
      from: { pathNot: "^(apps/web|test/unit/web)/" },
      to: { path: "^apps/web/src/" }
    },
    {
      name: "cli-loads-work-lazily",
      comment: "the CLI starts fast because what does the work is a bundle of its own, loaded with import()",
      severity: "error",
      from: { path: "^src/cli/" },
      to: {
        path: "^src/(lib|building|daemon|mcp|agent-host|project)/",
        dynamic: false,
        dependencyTypesNot: ["type-only", "dynamic-import"]
      }
    },
    {
      name: "src-stands-alone",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^(adapters|apps|test|bench|examples|scripts|rootfs|guest-agent|native|dist)/" }
    },
    {
      name: "src-uses-named-packages-only",
      comment: "the bundles contain them; a package that only another one brings may be gone with its next version",
      severity: "error",
      from: { path: "^src/" },
      to: { dependencyTypes: ["npm-no-pkg", "npm-unknown"], dependencyTypesNot: ["type-only", "npm-dev"] }
    },
    {
      name: "set-up-needs-nothing-installed",
      comment: "these run before `npm ci` did",
      severity: "error",
      from: { path: "^scripts/(start|test|setup)(\\.mjs|/)" },
      to: { dependencyTypesNot: ["local", "core"] }
    },
    {
      name: "no-barrels",
      severity: "error",
      from: {},
      to: { path: "^(src|adapters|apps|test)/.*/index\\.ts$", pathNot: "^(src/sdk|adapters/[^/]+)/index\\.ts$" }
    }
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "require", "node", "default"] },
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(dist|guest-agent/build|native/build|coverage)/" },
    detectProcessBuiltinModuleCalls: true
  }
}

// For the READMEs of the folders (scripts/docs/folders.mjs). Not enumerable: dependency-cruiser refuses keys that it does not know.
Object.defineProperty(module.exports, "tables", {
  value: { may, ends, rooms: { ...rooms, ...innerRooms, ...roomsBelow } }
})
