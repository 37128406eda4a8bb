import type { PyroClient, SavedSnapshots } from "./client.ts"
import type { Process } from "./command.ts"
import type { Files } from "./files.ts"
import type { Network, Port, Ports, Services, Snapshots } from "./services.ts"
import type { Shell } from "./shell.ts"
import type { Workspace } from "./workspace.ts"

type Method = (...args: never) => unknown
type Group = Services | Files | Ports | Network | Snapshots | SavedSnapshots

/** Number of the arguments before the last one, which has the options. */
type PlaceOf<F> = F extends (...args: infer Args) => unknown
  ? Required<Args> extends readonly [...infer Before, unknown] ? Before["length"] : never
  : never

/** The place of the options of each method. The compiler knows it from the declarations. */
type Places<T> = {
  readonly [K in keyof T as K extends symbol ? never : T[K] extends Method | Group ? K : never]: T[K] extends Method
    ? PlaceOf<T[K]>
    : Places<T[K]>
}

const client: Places<Omit<PyroClient, "close">> = {
  create: 0,
  get: 1,
  open: 1,
  list: 0,
  up: 0,
  down: 0,
  saved: { list: 0, get: 1, delete: 1, export: 2, import: 1 }
}

const workspace: Places<Workspace> = {
  status: 0,
  exec: 1,
  spawn: 1,
  attach: 1,
  commands: 0,
  shell: 0,
  services: { start: 2, list: 0, get: 1, logs: 1, stop: 1 },
  files: {
    read: 1,
    readText: 1,
    stream: 1,
    write: 2,
    edit: 3,
    stat: 1,
    exists: 1,
    list: 1,
    mkdir: 1,
    remove: 1,
    rename: 2,
    copy: 2,
    chmod: 2,
    watch: 1
  },
  port: 1,
  ports: { list: 0, close: 1 },
  network: { set: 1, log: 0 },
  snapshot: 1,
  snapshots: { list: 0, delete: 1 },
  save: 1,
  commit: 1,
  fork: 0,
  forks: 1,
  try: 1,
  keep: 1,
  reset: 0,
  history: 0,
  rewind: 0,
  stop: 0,
  start: 0,
  pause: 0,
  resume: 0,
  rename: 1,
  update: 0,
  delete: 0,
  diff: 0,
  patch: 1,
  export: 2,
  import: 2,
  push: 1
}

const process: Places<Process> = { wait: 0, kill: 1, resize: 1, detach: 0 }
const shell: Places<Shell> = { type: 1, read: 0, resize: 1, kill: 1, close: 0 }
const port: Places<Port> = { close: 0 }

const flat = (places: object, prefix: string): ReadonlyArray<readonly [name: string, place: number]> =>
  Object.entries(places).flatMap(([key, place]: readonly [string, unknown]) =>
    typeof place === "number" ? [[`${prefix}${key}`, place] as const] : flat(place as object, `${prefix}${key}.`)
  )

/** The place of the options of each method, by the name that the stack of its rejection has. */
export const optionPlaces: ReadonlyMap<string, number> = new Map([
  ...flat(client, ""),
  ...flat(workspace, "Workspace."),
  ...flat(process, "Process."),
  ...flat(shell, "Shell."),
  ...flat(port, "Port.")
])
