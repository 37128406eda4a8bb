import { contentWorks } from "./content.ts"
import { diskWorks } from "./disk.ts"
import { execWorks } from "./exec.ts"
import { fileWorks } from "./file.ts"
import { networkWorks } from "./network.ts"
import { portWorks } from "./port.ts"
import { serviceWorks } from "./service.ts"
import { shellWorks } from "./shell.ts"
import { snapshotWorks } from "./snapshot.ts"
import type { Works } from "./work.ts"
import { workspaceWorks } from "./workspace.ts"

/** What each operation on workspaces does. `perform.ts` gives each work what its row says. */
export const works: Works = {
  ...workspaceWorks,
  ...execWorks,
  ...shellWorks,
  ...serviceWorks,
  ...fileWorks,
  ...contentWorks,
  ...snapshotWorks,
  ...networkWorks,
  ...portWorks,
  ...diskWorks
}
