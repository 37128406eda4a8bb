import { Context } from "effect"
import type { Workspaces } from "../workspace/Workspaces.ts"

/** `workspace.exec` for whoever answers requests: bit by bit instead of as a stream. */
export class Tellings extends Context.Tag("pyro/local/Tellings")<Tellings, Workspaces["Type"]["exec"]>() {}
