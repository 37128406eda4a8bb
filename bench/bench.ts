import type { Daemon } from "./daemon.ts"
import type { Floor } from "./floors/template.ts"
import type { Product } from "./product.ts"
import type { Room } from "./room.ts"

/** What rows are measured with. */
export interface Bench {
  readonly room: Room
  readonly floor: Floor
  /** Folder with the sources of the floors' programs. */
  readonly floorSources: string
  readonly product: Product
  /** A daemon of the benchmarks' own, started when a row first asks for it. */
  readonly daemon: Daemon
  /** Another, without a pool. */
  readonly bareDaemon: Daemon
  /** argv of the built command line. */
  readonly pyro: ReadonlyArray<string>
  /** Variables for processes of pyro that are to find no daemon. */
  readonly alone: NodeJS.ProcessEnv
  /** Environment that everything runs in. */
  readonly environment: string
}
