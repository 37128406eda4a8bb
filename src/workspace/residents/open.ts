import { Effect, type Scope } from "effect"
import type { NoSpace, StateDirectoryUnusable } from "../../contract/errors.ts"
import { type Commands, openCommands } from "../exec/commands.ts"
import { execKind } from "../exec/inherit.ts"
import { logLimits } from "../exec/log-store.ts"
import { execResident } from "../exec/resident.ts"
import type { WorkspaceFolder } from "../lifecycle/record.ts"
import { openSecrets, type WorkspaceSecrets } from "../secret/workspace-secrets.ts"
import { listed, makeResidents, type Residents } from "./list.ts"

/** The residents of a workspace. The operations of one kind, such as exec and logs, reach that kind by name; the lifecycle does not. */
export interface OpenResidents extends Residents {
  readonly commands: Commands
  readonly secrets: WorkspaceSecrets
}

/** Opens every resident of a workspace. The residents close with the Scope. */
export const openResidents = (
  folder: WorkspaceFolder
): Effect.Effect<OpenResidents, NoSpace | StateDirectoryUnusable, Scope.Scope> =>
  Effect.gen(function*() {
    const secrets = yield* openSecrets(folder.directory)
    const commands = yield* openCommands(folder, logLimits, secrets)
    return { ...makeResidents([listed(execKind, folder.directory, execResident(commands))]), commands, secrets }
  })
