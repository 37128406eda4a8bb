import type { Daemon } from "./daemon.ts"
import type { Floor } from "./floors/template.ts"
import type { Product } from "./product.ts"
import type { Room } from "./room.ts"

/** Resources of all rows. */
export interface Bench {
  readonly room: Room
  readonly floor: Floor
  /** Folder with the sources of the floors' programs. */
  readonly floorSources: string
  readonly product: Product
  /** A daemon of the benchmarks' own, started at its first use by a row. */
  readonly daemon: Daemon
  /** Another daemon, without a pool and without points of rewind. */
  readonly bareDaemon: Daemon
  /** argv of the built command line. */
  readonly pyro: ReadonlyArray<string>
  /** Variables for processes of pyro that must find no daemon. */
  readonly alone: NodeJS.ProcessEnv
  /** Environment of all workspaces. */
  readonly environment: string
}
