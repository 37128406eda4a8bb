/** Entry point for programs: `import { pyro, layerDaemon } from "pyro"`. */
export * from "../contract/errors/errors.ts"
export type { CommandOutput } from "../contract/rows/operation.ts"
export {
  type EventOf,
  type Operation,
  type OperationName,
  operations,
  type PayloadOf,
  type ResultOf
} from "../contract/rows/operations.ts"
export { Pyro, type PyroService } from "../contract/rows/Pyro.ts"
export type { RunInput, WindowSize } from "../contract/rows/run-input.ts"
export { layerDaemon } from "./client.ts"
export { Workspace } from "./handle.ts"
export { layer, layerOf } from "./installed.ts"
export { labelOf } from "./label.ts"
export { acquireWorkspace } from "./model/effects.ts"
export { type EffectCall, pyro, type PyroEffects } from "./model/effects.ts"
export type { Options } from "./model/options.ts"
export {
  type CallOptions,
  type CommandError,
  type CommandPromise,
  makePromises,
  type PromiseCall,
  type PyroPromises
} from "./promises.ts"
export type { ConnectOptions } from "./promises/client.ts"
export type { DownOptions, DownOutcome, UpOptions } from "./promises/project.ts"
